/* A stand-in for NVIDIA's libnvidia-ml.so.1: it answers what a script says (see standin.py).
 *
 * Only what engine.run asks for is here, with the names, structures and codes of nvml.h as
 * nvidia-ml-py binds them. nvmlInit and nvmlInit_v2 are left out on purpose: torch would count the
 * GPUs through them and take them for real. The script is read anew at every call, so that a test
 * can change it while a process runs. Its lines:
 *
 *     count N                          how many GPUs there are
 *     driver VERSION
 *     fail FUNCTION CODE               a function that fails, for all GPUs
 *     hang FUNCTION                    it does not come back while the script says so
 *     crash FUNCTION                   it takes the process along
 *     gpu I KEY VALUE                  a value of GPU I; an error as well: "gpu 3 error 15"
 *     gpu I fail FUNCTION CODE
 *     gpu I process PID BYTES
 *     slice I K KEY VALUE              the same of slice K of GPU I, which makes it one
 *     slice I K process PID BYTES
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, SMALL = 7,
       LOST = 15, MISMATCH = 25 };
enum { GPUS = 16, SLICES = 7, UNITS = GPUS * (1 + SLICES) };
enum { ULONG_LONG = 3 };

typedef int Return;
typedef struct { int gpu, slice; } Unit; /* slice -1: the GPU itself */
typedef Unit *Device;

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } MemoryV2;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { unsigned version, sensor; int degrees; } Temperature;
typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } Process;
typedef struct {
    uint32_t field, scope;
    int64_t timestamp, latency;
    uint32_t type, result;
    union { double d; unsigned u; unsigned long ul; unsigned long long ull; } value;
} Field;

static Unit units[UNITS];
static int ready = 0;
static int lost[GPUS]; /* Until the library is initialised again, as with the real one. */

/* The script */

static FILE *script(void) {
    const char *path = getenv("STANDIN_NVML_SCRIPT");
    return path ? fopen(path, "r") : NULL;
}

/* Finds the last line that begins with PREFIX; what follows goes to REST. */
static int said(const char *prefix, char *rest, size_t size) {
    char line[512];
    int found = 0;
    FILE *file = script();
    size_t length = strlen(prefix);
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, prefix, length) && (line[length] == ' ' || !line[length])) {
            snprintf(rest, size, "%s", line[length] ? line + length + 1 : "");
            found = 1;
        }
    }
    fclose(file);
    return found;
}

static void prefix_of(Device unit, const char *key, char *prefix, size_t size) {
    if (unit->slice < 0)
        snprintf(prefix, size, "gpu %d %s", unit->gpu, key);
    else
        snprintf(prefix, size, "slice %d %d %s", unit->gpu, unit->slice, key);
}

static int text(Device unit, const char *key, char *value, size_t size) {
    char prefix[160];
    prefix_of(unit, key, prefix, sizeof prefix);
    return said(prefix, value, size);
}

static int number(Device unit, const char *key, unsigned long long *value) {
    char rest[256];
    if (!text(unit, key, rest, sizeof rest))
        return 0;
    *value = strtoull(rest, NULL, 0);
    return 1;
}

static unsigned long long or_else(Device unit, const char *key, unsigned long long otherwise) {
    unsigned long long value = otherwise;
    number(unit, key, &value);
    return value;
}

/* Hangs, crashes or fails as the script says; UNIT may be NULL. */
static Return enter(const char *function, Device unit) {
    char line[160], rest[256];
    unsigned long long code;
    snprintf(line, sizeof line, "hang %s", function);
    while (said(line, rest, sizeof rest))
        usleep(20000);
    snprintf(line, sizeof line, "crash %s", function);
    if (said(line, rest, sizeof rest))
        abort();
    snprintf(line, sizeof line, "fail %s", function);
    if (said(line, rest, sizeof rest))
        return atoi(rest);
    if (!unit)
        return SUCCESS;
    if (!ready)
        return UNINITIALIZED;
    if (number(&(Unit){unit->gpu, -1}, "error", &code) && code) {
        lost[unit->gpu] = code == LOST;
        return (Return)code;
    }
    if (lost[unit->gpu])
        return LOST;
    if (number(unit, line, &code))
        return (Return)code;
    return SUCCESS;
}

#define ENTER(unit)                                   \
    do {                                              \
        Return result_ = enter(__func__, (unit));     \
        if (result_ != SUCCESS)                       \
            return result_;                           \
    } while (0)

/* A value that a slice does not have unless it is scripted, and a GPU has by default. */
#define VALUE(unit, key, otherwise, where)            \
    do {                                              \
        unsigned long long value_ = (otherwise);      \
        if (!number((unit), (key), &value_) && (unit)->slice >= 0) \
            return UNSUPPORTED;                       \
        *(where) = value_;                            \
    } while (0)

/* The library */

Return nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    ENTER(NULL);
    ready = 1;
    memset(lost, 0, sizeof lost);
    return SUCCESS;
}

Return nvmlShutdown(void) {
    ready = 0;
    return SUCCESS;
}

const char *nvmlErrorString(Return code) {
    static char told[40];
    snprintf(told, sizeof told, "stand-in error %d", code);
    return told;
}

Return nvmlSystemGetDriverVersion(char *version, unsigned length) {
    ENTER(NULL);
    if (!said("driver", version, length))
        snprintf(version, length, "580.00");
    return SUCCESS;
}

Return nvmlDeviceGetCount_v2(unsigned *count) {
    char rest[64];
    ENTER(NULL);
    *count = said("count", rest, sizeof rest) ? (unsigned)atoi(rest) : 0;
    return SUCCESS;
}

Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device *device) {
    if (index >= GPUS)
        return INVALID;
    *device = &units[index];
    **device = (Unit){(int)index, -1};
    return enter(__func__, *device);
}

Return nvmlDeviceGetUUID(Device device, char *uuid, unsigned length) {
    ENTER(device);
    if (text(device, "uuid", uuid, length))
        return SUCCESS;
    if (device->slice < 0)
        snprintf(uuid, length, "GPU-%08x-0000-4000-8000-000000000000", device->gpu);
    else
        snprintf(uuid, length, "MIG-%04x%04x-0000-4000-8000-000000000000", device->gpu,
                 device->slice);
    return SUCCESS;
}

Return nvmlDeviceGetName(Device device, char *name, unsigned length) {
    ENTER(device);
    if (!text(device, "name", name, length))
        snprintf(name, length, device->slice < 0 ? "Stand-in GPU" : "Stand-in GPU MIG 1g.10gb");
    return SUCCESS;
}

Return nvmlDeviceGetMemoryInfo(Device device, Memory *memory) {
    ENTER(device);
    memory->total = or_else(device, "memory_total", 80ull << 30);
    memory->used = or_else(device, "memory_used", 0) + or_else(device, "memory_reserved", 0);
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

Return nvmlDeviceGetMemoryInfo_v2(Device device, MemoryV2 *memory) {
    ENTER(device);
    if (memory->version != (sizeof(MemoryV2) | 2u << 24))
        return MISMATCH;
    memory->total = or_else(device, "memory_total", 80ull << 30);
    memory->used = or_else(device, "memory_used", 0);
    memory->reserved = or_else(device, "memory_reserved", 0);
    memory->free = memory->total - memory->used - memory->reserved;
    return SUCCESS;
}

Return nvmlDeviceGetUtilizationRates(Device device, Utilization *rates) {
    ENTER(device);
    VALUE(device, "utilization", 0, &rates->gpu);
    rates->memory = 0;
    return SUCCESS;
}

Return nvmlDeviceGetTemperatureV(Device device, Temperature *temperature) {
    ENTER(device);
    if (temperature->version != (sizeof(Temperature) | 1u << 24))
        return MISMATCH;
    VALUE(device, "temperature", 30, &temperature->degrees);
    return SUCCESS;
}

Return nvmlDeviceGetTemperature(Device device, unsigned sensor, unsigned *degrees) {
    ENTER(device);
    if (sensor != 0)
        return INVALID;
    VALUE(device, "temperature", 30, degrees);
    return SUCCESS;
}

Return nvmlDeviceGetPowerUsage(Device device, unsigned *milliwatts) {
    ENTER(device);
    VALUE(device, "power", 70000, milliwatts);
    return SUCCESS;
}

Return nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned *milliwatts) {
    ENTER(device);
    VALUE(device, "power_limit", 700000, milliwatts);
    return SUCCESS;
}

Return nvmlDeviceGetClockInfo(Device device, unsigned type, unsigned *megahertz) {
    ENTER(device);
    if (type != 1)
        return INVALID;
    VALUE(device, "sm_clock", 345, megahertz);
    return SUCCESS;
}

Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long *reasons) {
    ENTER(device);
    VALUE(device, "reasons", 1, reasons);
    return SUCCESS;
}

Return nvmlDeviceGetPcieThroughput(Device device, unsigned counter, unsigned *kilobytes) {
    ENTER(device);
    usleep(20000); /* As long as the real one measures. */
    VALUE(device, counter ? "pcie_rx" : "pcie_tx", 0, kilobytes);
    return SUCCESS;
}

/* Counters are scripted by the number of their field, "gpu 0 field 139 4096". */
Return nvmlDeviceGetFieldValues(Device device, int count, Field *fields) {
    ENTER(device);
    for (int i = 0; i < count; i++) {
        char key[32];
        int is_nvlink = fields[i].field == 138 || fields[i].field == 139;
        snprintf(key, sizeof key, "field %u", fields[i].field);
        fields[i].type = ULONG_LONG;
        fields[i].result = UNSUPPORTED;
        if (is_nvlink && fields[i].scope != UINT32_MAX)
            fields[i].result = INVALID;
        else if (number(device, key, &fields[i].value.ull))
            fields[i].result = SUCCESS;
    }
    return SUCCESS;
}

Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, Process *found) {
    char line[512], prefix[64];
    unsigned room = *count, used = 0;
    FILE *file;
    ENTER(device);
    prefix_of(device, "process", prefix, sizeof prefix);
    if (!(file = script()))
        return SUCCESS;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, prefix, strlen(prefix)))
            continue;
        if (found && used < room) {
            char *bytes;
            unsigned slice = device->slice < 0 ? UINT32_MAX : (unsigned)device->slice;
            unsigned pid = (unsigned)strtoul(line + strlen(prefix), &bytes, 10);
            /* "unknown" is what the library says where the system keeps the books. */
            found[used] = (Process){pid, strstr(bytes, "unknown") ? UINT64_MAX
                                                                  : strtoull(bytes, NULL, 10),
                                    slice, slice};
        }
        used++;
    }
    fclose(file);
    *count = used;
    return used > room ? SMALL : SUCCESS;
}

Return nvmlDeviceGetMigMode(Device device, unsigned *current, unsigned *pending) {
    ENTER(device);
    if (device->slice >= 0)
        return INVALID;
    VALUE(device, "mig", 0, current);
    *pending = *current;
    return SUCCESS;
}

Return nvmlDeviceGetMaxMigDeviceCount(Device device, unsigned *count) {
    ENTER(device);
    *count = SLICES;
    return SUCCESS;
}

Return nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned index, Device *slice) {
    char key[64], rest[256];
    ENTER(device);
    if (index >= SLICES)
        return INVALID;
    snprintf(key, sizeof key, "slice %d %u made", device->gpu, index);
    if (!said(key, rest, sizeof rest))
        return NOT_FOUND;
    *slice = &units[GPUS + device->gpu * SLICES + (int)index];
    **slice = (Unit){device->gpu, (int)index};
    return SUCCESS;
}
