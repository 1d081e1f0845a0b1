"""Judging images in a process of its own: the side of whoever asks.

``Judging`` starts ``python -m engine.train predict`` (see ``engine.journal.predictions``), which
ends with its standard input, and with its parent however that ends.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.journal.predictions import Refused, Told
from engine.plan.text import clean
from engine.run.launch import PARENT, python, torch_environment


class Judging:
    """One network that waits for images. Nothing here waits, but ``next`` where it is told to."""

    def __init__(
        self,
        checkpoint: Path,
        *,
        model: str | None = None,
        image_size: int | None = None,
        device: str = "auto",
        gentle: bool = False,
    ) -> None:
        """``gentle``: on the CPU, with one thread and no priority, beside a training."""
        self._command = [
            *python("-m", "engine.train", "predict", "--checkpoint", os.fspath(checkpoint)),
            *(["--model", model] if model is not None else []),
            *(["--image-size", str(image_size)] if image_size is not None else []),
            *(["--gentle"] if gentle else ["--device", device]),
        ]
        self._told: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def start(self) -> None:
        """Spawns it; a failure to do so is the first thing that it tells. From the main thread:
        the process ends with the thread that starts it."""
        environment = {**os.environ, **torch_environment(os.environ), PARENT: str(os.getpid())}
        if "--gentle" in self._command:
            environment["CUDA_VISIBLE_DEVICES"] = ""
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            sentence = f"no process could be started ({error.strerror}); close other programs"
            self._told.put(Refused(sentence))
            self._told.put(None)
            return
        threading.Thread(
            target=self._listen, args=(self._process,), name="judging", daemon=True
        ).start()

    def ask(self, paths: Sequence[str]) -> None:
        """These images, as one batch. Of a process that is gone the end is told, not here."""
        if self._process is None or self._process.stdin is None or self._closed:
            return
        try:
            self._process.stdin.write(json.dumps(list(paths)).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            return

    def poll(self) -> list[Told]:
        """What it told since the last call, in order."""
        told: list[Told] = []
        while True:
            try:
                each = self._told.get_nowait()
            except queue.Empty:
                return told
            if each is not None:
                told.append(each)

    def next(self) -> Told | None:
        """Waits for the next thing it tells; ``None`` once it has ended."""
        return self._told.get()

    def close(self) -> None:
        """Ends it at once. Safe to call twice, and before it was started."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        decoder = msgspec.json.Decoder(Told)
        last_words, refused = "", False
        with process.stdin, process.stdout:
            for line in process.stdout:
                try:
                    told = decoder.decode(line)
                except msgspec.MsgspecError:
                    last_words = clean(line.decode("utf-8", "replace").strip()) or last_words
                    continue
                refused = refused or isinstance(told, Refused)
                self._told.put(told)
        code = process.wait()
        if code != 0 and not refused and not self._closed:
            reason = last_words or f"its process ended with code {code}"
            self._told.put(Refused(f"the images cannot be judged: {reason}"))
        self._told.put(None)
