"""Watches for the request to stop on behalf of a call that waits and cannot ask for itself."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Event, Lock, Thread, get_ident
from types import TracebackType
from typing import TypeVar

from batchrun.errors import StepStoppedError

POLL_SECONDS = 0.1
REACTION_SECONDS = 5.0

Result = TypeVar("Result")


class StopWatch:
    """Acts, on a thread of its own, once a stop is asked for while the block is at work; and again until it ends.

    Acting again is for what may miss: an interrupt that comes a moment before the statement begins does nothing.

    Attributes:
        has_acted: the action took effect at least once; steady once the block has ended.
    """

    def __init__(self, should_stop: Callable[[], bool], act: Callable[[], bool]) -> None:
        """Prepares the watch.

        Args:
            should_stop: tells whether a stop has been asked for.
            act: ends the call from another thread; returns whether it could; never called once the block has ended.
        """
        self.has_acted = False
        self._should_stop = should_stop
        self._act = act
        self._over = Event()
        self._acting = Lock()
        self._thread = Thread(target=self._watch, name="batchrun-stop-watch", daemon=True)

    def __enter__(self) -> StopWatch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Ends the watch; an action under way has ended when it returns."""
        self._over.set()
        with self._acting:
            pass

    def _watch(self) -> None:
        while not self._over.is_set():
            if self._should_stop():
                with self._acting:
                    if not self._over.is_set():
                        self.has_acted = self._act() or self.has_acted
            self._over.wait(POLL_SECONDS)


class Interrupted(KeyboardInterrupt):
    """Raised inside a Python call by a stop; what tidies up at Ctrl-C does so here too."""


def call_interruptibly(
    call: Callable[[], Result], should_stop: Callable[[], bool], on_silence: Callable[[], None]
) -> Result:
    """Calls a function, and interrupts it as Ctrl-C would once a stop is asked for.

    The exception comes between two steps of Python code: a call that waits outside of Python gets it when it returns.

    Args:
        call: the function; what it returns after an interrupt that it did not heed, counts.
        should_stop: tells whether a stop has been asked for.
        on_silence: told once, from another thread, where the function goes on for some seconds all the same.

    Raises:
        StepStoppedError: the function ended by the interrupt.
    """
    watch = StopWatch(should_stop, _Interrupt(get_ident(), on_silence).act)
    outcome: list[Result] = []
    try:
        try:
            with watch:
                outcome.append(call())
        finally:
            if watch.has_acted:
                _take_pending()
    except Interrupted:
        watch.end()  # the exception may have come while the watch was ending
        if not outcome:
            raise StepStoppedError("the call was interrupted by the stop") from None
    return outcome[0]


def call_or_leave(call: Callable[[Callable[[], bool]], Result], should_stop: Callable[[], bool]) -> Result:
    """Calls a function that may wait anywhere, on a thread of its own, and leaves it there at a stop.

    Args:
        call: gets a function that tells whether it has been left; it then ends as soon as it can.
        should_stop: tells whether a stop has been asked for.

    Raises:
        StepStoppedError: a stop was asked for before the function returned.
    """
    left = Event()
    future: Future[Result] = Future()

    def answer() -> None:
        try:
            future.set_result(call(left.is_set))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=answer, name="batchrun-call", daemon=True).start()
    while not future.done():
        if should_stop():
            left.set()
            raise StepStoppedError("the call was given up because of the stop")
        wait([future], timeout=POLL_SECONDS)
    return future.result()


class _Interrupt:
    """Raises Interrupted in a thread, once, and later says so if the thread does not heed it."""

    def __init__(self, thread: int, on_silence: Callable[[], None]) -> None:
        self._thread = thread
        self._on_silence = on_silence
        self._silent_at: float | None = None

    def act(self) -> bool:
        if self._silent_at is None:
            self._silent_at = time.monotonic() + REACTION_SECONDS
            argument = ctypes.py_object(Interrupted)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), argument)
        elif time.monotonic() > self._silent_at:
            self._silent_at = float("inf")
            self._on_silence()
        return True


def _take_pending() -> None:
    """Gives an exception that another thread has sent the occasion to be raised here, and nowhere later.

    Taking it back by a null pointer leaves CPython 3.11 with a flag that nothing clears: it then looks for exceptions
    at every call, and under a tracer, as of a debugger, it does nothing else for ever.
    """
    for _ in range(10):
        pass
