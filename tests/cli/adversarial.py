#!/usr/bin/env python3
"""adversarial.py NPF SHARED: `npf replay` over the hostile captures of the shared folder.

Every packet's verdict must be the one that its file expects, under the default profile and under
each other profile that an expectation names; under those of WHOLE every packet of every file, where
no other verdict is named the default one. Prints what is wrong, and a table of the attacks by their
numbers: packets judged, wrong ones; attacks.py has the tests beside it. Status 77, and why, where
the folder is not there."""
import collections
import json
import pathlib
import subprocess
import sys

FLAGS = {"frag": "--fragments", "established": "--established", "midstream": "--midstream",
         "vlan": "--vlan", "l4csum": "--checksums"}
WHOLE = ["frag=reassemble"]


def flags_of(profile):
    knob, value = profile.split("=")
    return [FLAGS[knob], "ip" if knob == "l4csum" and value == "off" else value]


def is_scored(packet, profile):
    return not profile or profile in WHOLE or profile in packet.get("alt", {})


def replay(npf, shared, expect, profile):
    command = [npf, "replay", "-r", shared / expect["pcap"], "-o", "jsonl"]
    phases = expect.get("phases") or [{"cluster": expect["cluster"], "policies": expect["policies"]}]
    for path in (phases[0]["cluster"], phases[0]["policies"]):
        command += ["-f", shared / path]
    for phase in phases[1:]:
        command += ["--update", f"{phase['from_packet']}={shared / phase['cluster']},"
                                f"{shared / phase['policies']}"]
    if profile:
        command += flags_of(profile)
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, text=True)
    verdicts = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        verdicts[row["n"]] = row
    return verdicts, done.stderr


def print_table(judged, wrong):
    print("ATTACK  PACKETS  WRONG")
    for number in sorted(judged):
        print(f"A{number:<6} {judged[number]:>7}  {wrong[number]:>5}")


def main(npf, shared):
    known = subprocess.run([npf, "replay", "--help"], capture_output=True, check=True, text=True).stdout
    left_out, wrong = collections.Counter(), collections.Counter()
    judged, wrong_by_attack = collections.Counter(), collections.Counter()
    for path in sorted(shared.glob("*.expect.json")):
        expect = json.loads(path.read_text())
        named = {p for packet in expect["packets"] for p in packet.get("alt", {})}
        for profile in [None] + sorted(named.union(WHOLE)):
            if profile and flags_of(profile)[0] not in known:
                left_out[profile] += sum(is_scored(packet, profile) for packet in expect["packets"])
                continue
            verdicts, error = replay(npf, shared, expect, profile)
            for packet in expect["packets"]:
                wanted = packet["must"]
                if profile:
                    wanted = packet.get("alt", {}).get(profile, wanted)
                if wanted == "either" or not is_scored(packet, profile):
                    continue
                number = int(packet["attack"][1:])
                judged[number] += 1
                got = verdicts.get(packet["n"], {"verdict": "nothing", "reason": error[:200]})
                if got["verdict"] == wanted:
                    continue
                wrong["allow" if wanted == "deny" else "deny"] += 1
                wrong_by_attack[number] += 1
                print(f"{path.name} {profile or ''} packet {packet['n']} A{number}: "
                      f"{got['verdict']} {got['reason']}, must {wanted}: {packet.get('note', '')}")
    scored = sum(judged.values())
    judged.pop(0, None)  # ordinary packets
    print_table(judged, wrong_by_attack)
    for profile, packets in left_out.items():
        print(f"left out: {packets} packets under {profile}, which npf replay does not have")
    print(f"{scored} verdicts, {wrong['allow']} wrong allows, {wrong['deny']} wrong denies")
    return 1 if wrong or not scored else 0


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[2]) / "adversarial"
    if not (folder / "MANIFEST.json").is_file():
        print(f"skipped: {folder} is not there")
        sys.exit(77)
    sys.exit(main(sys.argv[1], folder))
