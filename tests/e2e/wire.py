"""A wire with the appliance in it, and pods at both of its sides.

    pods ── bridge ── veth ── wa │ npf-dpdk │ wb ── veth ── bridge ── pods
            namespace "left"        │               namespace "right"
                            the namespace of the test

Every pod is a network namespace of its own, with pod.py in it. isolate() puts the test into network,
mount and process namespaces of its own, so that whatever ends it, nothing of it is left behind, and
two tests do not meet."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
# What is in there is the test's own; of temporary files too nothing is left.
PRIVATE = ("/run/netns", "/run/dpdk")
METRICS = "127.0.0.1:9464"
EAL = ["--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry", "--log-level", "lib.eal:error"]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def isolate(*programs):
    """Runs the script again in namespaces of its own; comes back there. Skips, and says why, where
    that or one of `programs` is missing."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program in programs:
        if not os.access(program, os.X_OK) and not shutil.which(program):
            skip(f"{program} is not there")
    if os.environ.get("NPF_WIRE") == "isolated":
        for folder in PRIVATE:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        tempfile.tempdir = f"{PRIVATE[1]}/tmp"
        os.mkdir(tempfile.tempdir)
        ip("link set lo up")
        return
    if os.geteuid() != 0:
        skip("network namespaces need root")
    for program in ("unshare", "ip", "ethtool"):
        if not shutil.which(program):
            skip(f"{program} is not there")
    for folder in PRIVATE:
        pathlib.Path(folder).mkdir(exist_ok=True)
    apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    tried = subprocess.run(apart + ["sh", "-c", "ip link add name v0 type veth peer name v1 && "
                                    "ip link add name br0 type bridge"], capture_output=True, text=True)
    if tried.returncode:
        skip(f"no namespaces, veth or bridges here: {tried.stderr.strip()}")
    os.environ["NPF_WIRE"] = "isolated"
    sys.stdout.flush()
    os.execvp(apart[0], apart + [sys.executable, *sys.argv])


def ip(*lines, ns=None):
    """Lines of `ip -batch`."""
    command = ["ip"] + (["-n", ns] if ns else []) + ["-batch", "-"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"ip {ns or ''} {lines}: {done.stderr}")


def within(ns, *command, **more):
    """The end of a command in a namespace, with what it printed."""
    inside = ["ip", "netns", "exec", ns] if ns else []
    return subprocess.run([*inside, *map(str, command)], capture_output=True, text=True, **more)


def sysctl(ns, *settings):
    within(ns, "sysctl", "-qw", *settings, check=True)


def enter(ns):
    """A function that puts the process that calls it into a namespace, between fork and exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    path = f"/run/netns/{ns}"

    def do():
        fd = os.open(path, os.O_RDONLY)
        if libc.setns(fd, 0x40000000):  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), f"setns {ns}")
        os.close(fd)
    return do


class Pod:
    """A pod's namespace and the process in it."""

    def __init__(self, name, ns, mac, addresses):
        self.name, self.ns, self.mac, self.addresses = name, ns, mac, addresses
        self._next, self._replies = 0, {}
        self._arrived = threading.Condition()
        self._process = subprocess.Popen([sys.executable, "-u", HERE / "pod.py"], text=True, bufsize=1,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         preexec_fn=enter(ns))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            reply = json.loads(line)
            with self._arrived:
                self._replies[reply["id"]] = reply
                self._arrived.notify_all()

    @property
    def v4(self):
        return next(a for a in self.addresses if ":" not in a)

    @property
    def v6(self):
        return next(a for a in self.addresses if ":" in a)

    def begin(self, do, **command):
        self._next += 1
        self._process.stdin.write(json.dumps({"id": self._next, "do": do, **command}) + "\n")
        return self._next

    def finish(self, which, timeout=60):
        with self._arrived:
            if not self._arrived.wait_for(lambda: which in self._replies, timeout):
                raise TimeoutError(f"{self.name}: no reply within {timeout} s")
            reply = self._replies.pop(which)
        if "error" in reply:
            raise RuntimeError(f"{self.name}: {reply['error']}")
        return reply["is"]

    def ask(self, do, timeout=60, **command):
        return self.finish(self.begin(do, **command), timeout)

    def probe(self, proto, to, port=0, timeout=1.0):
        return self.ask("probes", probes=[{"proto": proto, "to": to, "port": port,
                                           "timeout": timeout}])[0]

    def run(self, *command, **more):
        return within(self.ns, *command, **more)

    def start(self, *command):
        """A process of its own beside it; what it prints can be read at its end."""
        return subprocess.Popen(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                preexec_fn=enter(self.ns))

    @property
    def pid(self):
        return self._process.pid


class Wire:
    """Both sides, and `hops` pairs of interfaces between them, each for an appliance:
    (wa, wb), or (wa, wm0) and (wm1, wb)."""

    def __init__(self, hops=1):
        # Each appliance has a namespace of its own, for the AF_PACKET driver makes the numbers of its
        # groups of process and interface, and two processes can come to the same one.
        self.pairs = [(None, "wa", "wb")] if hops == 1 else [(None, "wa", "wm"), ("second", "wm", "wb")]
        for side in ("left", "right", *(ns for ns, _, _ in self.pairs if ns)):
            self.add_namespace(side)
        for side, ns, device in (("left", None, "wa"), ("right", self.pairs[-1][0], "wb")):
            # Else the kernel joins fragments that cross the bridge.
            within(side, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0")
            ip("link add br0 type bridge mcast_snooping 0", "link set br0 up",
               f"link add wire0 type veth peer name {device} netns {ns or os.getpid()}",
               "link set wire0 master br0", "link set wire0 up", ns=side)
            self.plain(side, "wire0")
        if hops == 2:
            ip("link add wm type veth peer name wm netns second")
        for ns, *devices in self.pairs:
            for device in devices:
                sysctl(ns, f"net.ipv6.conf.{device}.disable_ipv6=1")
                ip(f"link set {device} up promisc on", ns=ns)
                self.plain(ns, device)

    def add_namespace(self, name):
        ip(f"netns add {name}")
        ip("link set lo up", ns=name)
        sysctl(name, "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
               "net.ipv6.conf.default.router_solicitations=0")

    def plain(self, ns, device):
        """As on a wire: whole checksums, and no frames longer than the MTU. An AF_PACKET socket cannot
        say that a checksum is still to be made, so behind it nobody would take such a frame."""
        command = ["ethtool", "-K", device, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off"]
        done = within(ns, *command)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr}")

    def namespace(self, name, side, addresses, mtu=1500):
        """A namespace on a side: eth0 with `addresses` (with their prefix lengths), all else on the
        link. Gives its MAC address."""
        number = len(list(pathlib.Path("/run/netns").iterdir()))
        mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        self.add_namespace(name)
        ip(f"link add p{number} mtu {mtu} netns {side} type veth peer name eth0 mtu {mtu} address {mac} netns {name}")
        ip(f"link set p{number} master br0", f"link set p{number} up", ns=side)
        self.plain(side, f"p{number}")
        self.plain(name, "eth0")
        lines = ["link set eth0 up"]
        lines += [f"address add {a} dev eth0 {'nodad' if ':' in a else ''}" for a in addresses]
        lines += ["route add default dev eth0", "route add ::/0 dev eth0"]
        ip(*lines, ns=name)
        return mac

    def pod(self, name, side, addresses):
        ns = f"{side[0]}-{name.replace('/', '-')}"
        mac = self.namespace(ns, side, addresses)
        return Pod(name, ns, mac, [a.split("/")[0] for a in addresses])

    def bridge(self):
        """A bridge where each appliance would be; gives what takes it away again."""
        for ns, one, other in self.pairs:
            sysctl(ns, "net.ipv6.conf.default.disable_ipv6=1")
            ip("link add plain type bridge mcast_snooping 0", "link set plain up",
               f"link set {one} master plain", f"link set {other} master plain", ns=ns)
        return lambda: [ip("link del plain", ns=ns) for ns, _, _ in self.pairs]


def know_each_other(pod, others):
    """Fixed neighbours, so that nobody asks by broadcast."""
    ip(*(f"neighbour replace {address} lladdr {other.mac} dev eth0 nud permanent"
         for other in others for address in other.addresses), ns=pod.ns)


class Appliance:
    """npf-dpdk on one pair of interfaces."""

    def __init__(self, binary, pair, flags, core=0, main_core=None, metrics=None, vdevs=None, placement="fabric",
                 workers=1, telemetry=None):
        self.metrics_at, self._reads = metrics, 0
        self.log = tempfile.NamedTemporaryFile(prefix="npf-dpdk.", suffix=".log")
        ns, *ends = pair
        vdevs = vdevs or [f"net_af_packet{n},iface={end},qpairs={workers}" for n, end in enumerate(ends)]
        # The main one sleeps; workers share a processor with it, and with each other.
        main_core = core if main_core is None else main_core
        lcores = ",".join(f"{n}@{main_core if n == 0 else core}" for n in range(workers + 1))
        eal = EAL
        if telemetry:  # a file prefix
            eal = [f for f in EAL if f not in ("--no-shconf", "--no-telemetry")] + ["--file-prefix", telemetry]
        self.command = [str(binary), *eal, f"--lcores={lcores}",
                        *(f"--vdev={v}" for v in vdevs), "--", "--pair", "0:1",
                        "--placement", placement, "--workers", str(workers), *map(str, flags)]
        if metrics:
            self.command += ["--metrics", metrics]
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log,
                                        preexec_fn=enter(ns) if ns else None)

    def said(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def get(self, path):
        """HTTP status and text."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics_at}{path}", timeout=2) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        """{'name{labels}': value}"""
        lines = self.get("/metrics")[1].splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if line and not line.startswith("#"))}

    def wait(self, until, what, timeout=20):
        end = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"npf-dpdk ended with {self.process.returncode}, waiting until {what}:\n{self.said()}")
            try:
                if until():
                    return self
            except (OSError, KeyError):
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"npf-dpdk: not within {timeout} s: {what}\n{self.said()}")
            time.sleep(0.01)

    def wait_until_up(self):
        return self.wait(lambda: "forwarding, mode" in self.said(), "it forwards")

    def reload(self):
        """SIGHUP, until all workers judge by what the files say now."""
        self._reads += 1
        self.process.send_signal(signal.SIGHUP)

        def is_read():
            said = self.said()
            if "nothing has changed" in said:
                raise RuntimeError(f"npf-dpdk refuses: {said}")
            return said.count("read again: ") >= self._reads
        return self.wait(is_read, "the new policy is active")

    def stop(self, how=signal.SIGTERM, timeout=10):
        """The exit status."""
        self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError(f"npf-dpdk: still there {timeout} s after {how.name}:\n{self.said()}") from None


def pod_object(namespace, name, addresses, labels=None, ports=(), node=None):
    """As Kubernetes writes a running pod; `ports`: (name, number, protocol)."""
    containers = [{"name": "main", "ports": [{"name": n, "containerPort": p, "protocol": t} for n, p, t in ports]}]
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "labels": labels or {}},
            "spec": {"containers": containers, **({"nodeName": node} if node else {})},
            "status": {"phase": "Running", "podIP": addresses[0], "podIPs": [{"ip": a} for a in addresses]}}


def namespace_object(name, labels=None):
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels or {"kubernetes.io/metadata.name": name}}}


def write_objects(path, objects):
    """All at once: who reads the file sees the old ones or the new ones."""
    new = pathlib.Path(f"{path}.new")
    new.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    new.rename(path)
