# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The queue on disk: nothing that was taken is lost but by the rule, whatever is cut, full or taken twice."""

import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri_edge._sinks import Spool
from pamtri_edge.errors import InputError
from properties import tries

MOST = 1 << 16


def contents(spool):
    """Return all that waits, as it is put back again."""
    found = []
    for one in spool.waiting():
        found.append(spool.take(one))
        spool.put_back(one)
    return found


def named(number, size=100):
    return f"north/{number % 3}", f"{number}:".encode().ljust(size, b".")


def numbers(spool):
    return [int(payload.partition(b":")[0]) for _, payload in contents(spool)]


def filled(path, count, *, size=100, most=MOST):
    spool = Spool(str(path), most)
    for number in range(count):
        spool.append(*named(number, size))
    return spool


def test_a_later_process_finds_what_was_not_done_in_order(tmp_path):
    spool = filled(tmp_path / "spool", 5)
    first, second, *_ = spool.waiting()
    for one in (first, second):
        spool.take(one)
    spool.done(first)
    del spool
    spool = Spool(str(tmp_path / "spool"), MOST)
    assert spool.earlier == 4
    assert numbers(spool) == [1, 2, 3, 4]


def fill(path, count, **options):
    """Leave a spool as a process that ended did."""
    assert filled(path, count, **options).size > 0 or count == 0


def number_of(found):
    return int(found[1].partition(b":")[0])


STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "append", "take", "done", "back"]), st.integers(0, 999))
)


class Account:
    """A spool with room for all, beside a plain account of what it must hold."""

    def __init__(self, path):
        self.spool = Spool(path, 1 << 20)
        self.number = 0
        self.waiting = {}  # number -> what was appended
        self.out = {}  # id -> number and what was appended

    def step(self, name, value):
        if name == "append":
            self.waiting[self.number] = named(self.number, value)
            self.spool.append(*self.waiting[self.number])
            self.number += 1
        elif name == "take" and self.waiting:
            number = sorted(self.waiting)[value % len(self.waiting)]
            one = self.spool.waiting()[sorted(self.waiting).index(number)]
            what = self.waiting.pop(number)
            assert self.spool.take(one) == what
            self.out[one] = (number, what)
        elif name in ("done", "back") and self.out:
            one = sorted(self.out)[value % len(self.out)]
            number, what = self.out.pop(one)
            assert self.spool.done(one) if name == "done" else self.spool.put_back(one)
            if name == "back":
                self.waiting[number] = what

    @property
    def left(self):
        """What a later process must find at least, in order."""
        return [what for _, what in sorted([*self.waiting.items(), *self.out.values()])]


@given(STEPS, st.booleans())
def test_a_queue_holds_what_was_neither_taken_nor_done(tmp_path_factory, steps, on_disk):
    account = Account(str(tmp_path_factory.mktemp("spool") / "spool") if on_disk else "")
    for name, value in steps:
        account.step(name, value)
        assert contents(account.spool) == [what for _, what in sorted(account.waiting.items())]
        assert account.spool.size == len(account.waiting) + len(account.out)
        assert account.spool.dropped == 0


@settings(max_examples=tries(60))
@given(STEPS.filter(bool), st.data())
def test_a_kill_at_any_byte_of_a_write_loses_nothing_that_was_there_before(tmp_path_factory, steps, data):
    folder = tmp_path_factory.mktemp("spool")
    account = Account(str(folder / "spool"))
    for name, value in steps[:-1]:
        account.step(name, value)
    before, left = (folder / "spool").read_bytes(), account.left
    account.step(*steps[-1])
    after = (folder / "spool").read_bytes()
    left = [what for what in left if what in account.left]
    # The begin of the oldest stands in the head, which is written before what takes the room of others.
    changed = [at for at in range(len(after)) if before[at : at + 1] != after[at : at + 1]]
    written = data.draw(st.integers(0, len(changed)))
    torn = bytearray(before.ljust(len(after), b"\0") if written else before)
    for at in changed[:written]:
        torn[at] = after[at]
    (folder / "torn").write_bytes(
        torn[: changed[written - 1] + 1] if written and changed[0] >= 4096 else torn
    )
    found = contents(Spool(str(folder / "torn"), 1 << 20))
    assert [what for what in found if what in left] == left
    assert found == sorted(found, key=number_of)


@settings(max_examples=tries(60))
@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=40), st.booleans(), st.booleans())
def test_without_room_the_oldest_or_the_newest_are_dropped_and_counted(
    tmp_path_factory, sizes, on_disk, drop_oldest
):
    path = tmp_path_factory.mktemp("spool") / "spool"
    spool = Spool(str(path) if on_disk else "", MOST, drop_oldest=drop_oldest)
    for number, size in enumerate(sizes):
        spool.append(*named(number, size))
        held = numbers(spool)
        assert spool.size + spool.dropped == number + 1
        assert held == sorted(held)
        if drop_oldest:
            assert held == list(range(number + 1 - len(held), number + 1))
        else:
            assert held[:1] == [0]
        if on_disk:
            assert path.stat().st_size <= 4096 + MOST
    if on_disk:
        del spool
        assert numbers(Spool(str(path), MOST)) == held


def test_what_is_dropped_while_it_is_out_and_arrives_counts_as_arrived():
    spool = Spool("", MOST)
    spool.append(*named(0, 40_000))
    (first,) = spool.waiting()
    spool.take(first)
    spool.append(*named(1, 40_000))
    assert (spool.dropped, spool.size) == (1, 1)
    assert not spool.done(first)
    assert spool.dropped == 0


@given(st.integers(0, 4096 + 40 * 140), st.integers(0, 40))
def test_a_file_cut_anywhere_is_a_shorter_queue(tmp_path_factory, cut, count):
    path = tmp_path_factory.mktemp("spool") / "spool"
    fill(path, count)
    with path.open("r+b") as file:
        file.truncate(min(cut, path.stat().st_size))
    held = numbers(Spool(str(path), MOST))
    assert held == list(range(len(held)))


@given(st.integers(4096, 4096 + 10 * 120 - 1))
def test_a_damaged_event_costs_itself_alone_and_is_counted(tmp_path_factory, at):
    path = tmp_path_factory.mktemp("spool") / "spool"
    fill(path, 10)
    data = bytearray(path.read_bytes())
    data[min(at, len(data) - 1)] ^= 0x55
    path.write_bytes(data)
    found = Spool(str(path), MOST)
    held = numbers(found)
    assert len(held) == 9
    lost = (set(range(10)) - set(held)).pop()
    assert found.dropped == (lost != 9)  # the last one is as one that a kill has cut


@given(st.integers(64, 159), st.booleans())
def test_a_damaged_mark_costs_no_event(tmp_path_factory, at, used):
    path = tmp_path_factory.mktemp("spool") / "spool"
    spool = filled(path, 10)
    if used:
        one = spool.waiting()[0]
        spool.take(one)
        spool.done(one)
    del spool
    data = bytearray(path.read_bytes())
    data[at] ^= 0x55
    path.write_bytes(data)
    assert numbers(Spool(str(path), MOST))[-9:] == list(range(1, 10))


@pytest.mark.parametrize(("most", "kept"), [(3 * MOST, 60), (MOST, 60), (1 << 12, 4)])
def test_a_spool_takes_another_size_and_keeps_the_newest(tmp_path, most, kept):
    path = tmp_path / "spool"
    fill(path, 60, size=900, most=2 * MOST)
    spool = Spool(str(path), most)
    assert numbers(spool) == list(range(60 - kept, 60))
    assert spool.dropped == 60 - kept
    spool.append(*named(60, 900))
    assert numbers(spool)[-1] == 60
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]


def test_what_a_kill_left_of_a_change_of_size_is_swept(tmp_path):
    (tmp_path / "spool.resized").write_bytes(b"half of it")
    filled(tmp_path / "spool", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]


def test_an_emptied_spool_gives_the_disk_its_room_back(tmp_path):
    spool = filled(tmp_path / "spool", 100, size=50_000, most=1 << 23)
    assert (tmp_path / "spool").stat().st_size > 1 << 22
    for one in spool.waiting():
        spool.take(one)
        spool.done(one)
    assert (tmp_path / "spool").stat().st_size == 4096
    spool.append(*named(100))
    del spool
    assert numbers(Spool(str(tmp_path / "spool"), 1 << 23)) == [100]


@pytest.mark.parametrize(
    "content", [b'{"schema":1}\n', b"PAMTSPLX", b"\0" * 5000, b"PAMTSPL1".ljust(5000, b"\0")]
)
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"another kind|damaged head"):
        Spool(str(path), MOST)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["", "missing/spool", "pipe"])
def test_a_place_that_can_hold_no_spool_is_refused(tmp_path, name):
    if name == "pipe":
        os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match=r"the spool .* (cannot be opened|no regular file)"):
        Spool(f"{tmp_path}/{name}", MOST)


def program(text, *arguments, **options):
    """Start a program that knows the spool; what it prints can be read line by line."""
    source = "import sys\nfrom pamtri_edge._sinks import Spool\n" + textwrap.dedent(text)
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)], stdout=subprocess.PIPE, text=True, **options
    )


def test_a_second_sink_on_a_spool_is_refused_with_the_number_of_the_first(tmp_path):
    path = tmp_path / "spool"
    with program(
        "spool = Spool(sys.argv[1], 1 << 16); print(spool.size, flush=True); input()", path, stdin=-1
    ) as first:
        first.stdout.readline()
        with pytest.raises(InputError, match=rf"in use by process {first.pid} \(python"):
            Spool(str(path), MOST)
        first.kill()
        first.wait()
    spool = Spool(str(path), MOST)  # a killed process keeps nobody out
    with pytest.raises(InputError, match=f"process {os.getpid()} "):
        Spool(str(path), MOST)
    assert spool.size == 0


def test_a_killed_sender_loses_no_event_that_it_had_taken(tmp_path):
    path = tmp_path / "spool"
    endless = """
        spool, number = Spool(sys.argv[1], 1 << 24), 0
        while True:
            spool.append("north/1", f"{number}:".encode().ljust(number % 5000, b"."))
            print(number, flush=True)
            number += 1
            if number % 3 == 0:
                spool.take(spool.waiting()[0])
    """
    with program(endless, path) as sender:
        for line in sender.stdout:
            if int(line) >= 300:
                sender.send_signal(signal.SIGKILL)
                break
        last = int(line)
    held = numbers(Spool(str(path), 1 << 24))
    assert held[: last + 1] == list(range(last + 1))


def test_a_full_disk_is_told_as_itself_and_events_wait_in_memory(tmp_path):
    path = tmp_path / "spool"

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # as in a program that is not Python
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))

    tried = """
        import resource
        spool = Spool(sys.argv[1], 1 << 20, fallback_bytes=20_000)
        def append(*range_):
            for number in range(*range_):
                spool.append("north/1", f"{number}:".encode().ljust(1000, b"."))
        append(50)
        print(spool.on_disk, spool.in_memory, spool.dropped, spool.problem)
        append(50, 70)
        print(spool.on_disk, spool.in_memory, spool.dropped)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        append(70, 71)
        print(spool.on_disk, spool.in_memory, spool.dropped, spool.problem)
    """
    with program(tried, path, preexec_fn=small_files) as sender:
        full, fuller, again = sender.stdout.read().splitlines()
    on_disk, in_memory, dropped, problem = full.split(maxsplit=3)
    assert (int(on_disk), int(in_memory)) == (34, 16)
    assert problem == f"the spool {path} cannot be written: File too large; events wait in memory"
    assert int(dropped) == 0
    on_disk, in_memory, dropped = map(int, fuller.split())
    assert in_memory < 20  # of 20,000 bytes
    assert on_disk + in_memory + dropped == 70
    assert again.split() == [str(71 - dropped), "0", str(dropped)]
    held = numbers(Spool(str(path), 1 << 20))
    assert held == sorted(held)
    assert held[-1] == 70
