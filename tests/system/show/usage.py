"""What a process and its children take of the machine."""

import dataclasses
import os
import pathlib


@dataclasses.dataclass
class Usage:
    """Sums over all threads of all processes."""

    cpu_s: float = 0.0
    voluntary: int = 0
    involuntary: int = 0
    threads: int = 0
    processes: int = 0
    rss_mb: float = 0.0

    def since(self, before):
        """The growth of the counters; sizes as they are."""
        return dataclasses.replace(
            self, cpu_s=self.cpu_s - before.cpu_s,
            voluntary=self.voluntary - before.voluntary,
            involuntary=self.involuntary - before.involuntary)


def family(pid):
    """The process and all its descendants."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(rest[1])
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items()
                  if parent == member]
    return found


def _fields(path):
    return dict(line.split(":", 1) for line in path.read_text().splitlines()
                if ":" in line)


def _cpu_s(task):
    """From the scheduler's nanoseconds, or else from the 10 ms ticks."""
    try:
        return int((task / "schedstat").read_text().split()[0]) / 1e9
    except OSError:
        times = (task / "stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def usage(pid):
    result = Usage()
    for member in family(pid):
        process = pathlib.Path(f"/proc/{member}")
        result.processes += 1
        memory = _fields(process / "status")["VmRSS"]
        result.rss_mb += int(memory.split()[0]) / 1024
        for task in (process / "task").iterdir():
            fields = _fields(task / "status")
            result.cpu_s += _cpu_s(task)
            result.voluntary += int(fields["voluntary_ctxt_switches"])
            result.involuntary += int(fields["nonvoluntary_ctxt_switches"])
            result.threads += 1
    return result


def tell(taken, seconds):
    print(f"  CPU          {taken.cpu_s:.3f} s"
          f" = {100 * taken.cpu_s / seconds:.4f} %")
    print(f"  wake-ups     {taken.voluntary} = "
          f"{taken.voluntary / seconds:.2f} a second"
          f" ({taken.involuntary} involuntary)")
    print(f"  memory       {taken.rss_mb:.1f} MB resident")
    print(f"  threads      {taken.threads} in {taken.processes} processes")
