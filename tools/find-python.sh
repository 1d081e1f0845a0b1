#!/bin/sh
# Prints the Python that .venv is to be made with, or says on stderr why there is none.
#
# One that already has torch and torchvision wins; then python3 where it is of a tried version (3.11 to 3.13), then the
# newest tried version, then anything newer. `make PYTHON=/path/to/python` chooses it by hand.

can_make() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
is_tried() { "$1" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' 2>/dev/null; }
has_torch() {
    "$1" -c 'import sys
from importlib.util import find_spec
sys.exit(not (find_spec("torch") and find_spec("torchvision")))' 2>/dev/null
}

candidates="python3 python python3.13 python3.12 python3.11 python3.14"
for python in $candidates; do
    if can_make "$python" && has_torch "$python"; then echo "$python"; exit 0; fi
done
for python in $candidates; do
    if can_make "$python" && is_tried "$python"; then echo "$python"; exit 0; fi
done
for python in $candidates; do
    if can_make "$python"; then echo "$python"; exit 0; fi
done

for python in $candidates; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "$python cannot make virtual environments: install its module venv" \
            "(on Debian and Ubuntu: apt install python3-venv), then try again." >&2
        exit 1
    fi
done
echo "Python 3.11 or newer is needed and was not found (python3 is: $(python3 -V 2>&1));" \
    "install it, or name one: make PYTHON=/path/to/python3" >&2
exit 1
