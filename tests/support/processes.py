"""What the long runs look at in a process: what it holds, and whose child it is. Linux's /proc."""
import os


def status_of(pid, name):
    """The number behind `name` in /proc/PID/status: VmRSS in KiB, Threads. 0 where there is none, as of a zombie."""
    with open(f"/proc/{pid}/status") as text:
        return next((int(line.split()[1]) for line in text if line.startswith(f"{name}:")), 0)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return status_of(pid, "Threads")


def memory_kb(pid):
    return status_of(pid, "VmRSS")


def holdings(pid):
    return {"descriptors": descriptors(pid), "threads": threads(pid), "memory_kb": memory_kb(pid)}


def children(pid):
    """Of all its threads; none where the process is gone."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as text:
                found += [int(child) for child in text.read().split()]
    except OSError:
        pass
    return found


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as text:
            return text.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
