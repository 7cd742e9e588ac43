#!/usr/bin/env python3
"""describing.py SOURCE NPF [OTHER PROGRAMS]: completion and man pages say what --help says, in the
shells that are here, and man and mandoc have nothing to say against the pages."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, PROGRAMS = sys.argv[1], [os.path.abspath(path) for path in sys.argv[2:]]
NPF = PROGRAMS[0]


def fail(text):
    sys.exit("describing: " + text)


def run(*arguments, **more):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, **more)


def complete(program, *words):
    result = run(program, "__complete", *words)
    if result.returncode != 0 or result.stderr:
        fail(f"{program} __complete {words}: {result.returncode} {result.stderr}")
    lines = result.stdout.splitlines()
    return [line.split("\t")[0] for line in lines[:-1]], lines[-1]


def verbs_in_help(program):
    text = run(program, "--help").stdout
    return re.findall(r"^  (\w+)  +\S", text.partition("Subcommands:")[2], re.M)


def options_in_help(program, *verb):
    text = run(program, *verb, "--help").stdout.partition("\nOptions:\n")[2].split("\n\n")[0]
    lines = [line for line in text.splitlines() if re.match(r"  -", line)]
    return sorted({name for line in lines for name in line.split()[0].split(",")})


def expect(what, got, wanted):
    if got != wanted:
        fail(f"{what}: {got}, wanted {wanted}")


def check_options(program):
    verbs = verbs_in_help(program)
    expect(program + " verbs", sorted(complete(program, "")[0]), sorted(verbs))
    for verb in verbs:
        expect(f"{program} {verb}", sorted(complete(program, verb, "-")[0]),
               options_in_help(program, verb))


def check_values():
    expect("choices", complete(NPF, "replay", "-o", ""),
           (["table", "csv", "json", "jsonl"], ":4"))
    expect("joined", complete(NPF, "validate", "--output=js"),
           (["--output=json", "--output=jsonl"], ":4"))
    expect("a file", complete(NPF, "validate", "-f", "x")[1], ":0")
    expect("no file", complete(NPF, "validate", "-n", "x"), ([], ":4"))
    expect("behind a value", complete(NPF, "validate", "-f", "replay", "--le")[0], ["--lenient"])
    expect("a place", complete(NPF, "completion", "")[0], ["bash", "zsh", "fish"])
    expect("past all places", complete(NPF, "completion", "bash", "")[0], [])
    expect("no such verb", complete(NPF, "nothing", "")[0], [])
    for program in PROGRAMS[1:]:
        if program.endswith("npf-dpdk"):
            expect("behind --", complete(program, "-l", "1", "--", "--mo")[0], ["--mode"])
            expect("a choice", complete(program, "--", "run", "--mode", "t")[0], ["tap"])


BASH = """source <(npf completion bash)
COMP_LINE=$1; COMP_POINT=${#COMP_LINE}; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
compopt() { :; }
_npf_complete; printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """compdef() { :; }
_describe() { print -rl -- ${(P)2} }
_files() { print FILES }
npf completion zsh > $1; source $1; shift
words=("$@"); CURRENT=$#; _npf
"""
FISH = "npf completion fish | source; complete -C $argv[1]"


def check_shells(folder):
    path = os.path.dirname(NPF) + os.pathsep + os.environ["PATH"]
    environment = dict(os.environ, PATH=path, HOME=folder, XDG_CONFIG_HOME=folder)

    def bash(line, *words):
        return run("bash", "--norc", "-c", BASH, "bash", line, *words, env=environment).stdout.split()

    expect("bash, a verb", bash("npf val", "npf", "val"), ["validate"])
    expect("bash, an option", bash("npf validate --sk", "npf", "validate", "--sk"),
           ["--skip-invalid"])
    expect("bash, nothing yet", bash("npf validate -o ", "npf", "validate", "-o", ""),
           ["table", "json", "jsonl", "sarif"])
    expect("bash, behind =", bash("npf validate --output=ta", "npf", "validate", "--output", "=", "ta"),
           ["table"])
    expect("bash, at =", bash("npf validate --output=", "npf", "validate", "--output", "="),
           ["table", "json", "jsonl", "sarif"])
    if shutil.which("zsh"):
        script = os.path.join(folder, "_npf")

        def zsh(*words):
            return run("zsh", "-f", "-c", ZSH, "zsh", script, *words, env=environment)

        expect("zsh, a verb", zsh("npf", "val").stdout.split(":")[0], "validate")
        expect("zsh, a file", zsh("npf", "validate", "-f", "").stdout, "FILES\n")
        expect("zsh, no complaint", zsh("npf", "validate", "--").stderr, "")
    if shutil.which("fish"):
        def fish(line):
            return run("fish", "-N", "-c", FISH, line, env=environment).stdout

        expect("fish, a verb", fish("npf val").split("\t")[0], "validate")
        expect("fish, a choice", [line.split("\t")[0] for line in fish("npf validate -o ").splitlines()],
               ["json", "jsonl", "sarif", "table"])


def pages_of(program, folder):
    pages = os.path.join(folder, os.path.basename(program))
    result = run(program, "man", pages, "--docs", os.path.join(SOURCE, "docs"))
    expect(program + " man", (result.returncode, result.stderr), (0, ""))
    return sorted(glob.glob(pages + "/*"))


def check_pages(program, folder):
    pages = pages_of(program, folder)
    for page in pages:
        with open(page) as file:
            text = file.read()
        verb = re.fullmatch(r"npf-(.*)\.1", os.path.basename(page)) if program == NPF else None
        for option in options_in_help(program, *([verb[1]] if verb else [])):
            if "\\fB" + option.replace("-", "\\-") + "\\fR" not in text:
                fail(f"{page} does not have {option}")
        if shutil.which("man"):
            result = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page,
                         env=dict(os.environ, MANWIDTH="80"))
            expect(page, (result.returncode, result.stderr), (0, ""))
        if shutil.which("mandoc"):
            result = run("mandoc", "-T", "lint", "-W", "error", page)
            expect(page, (result.returncode, result.stdout), (0, ""))
    if program == NPF:
        expect("pages", [os.path.basename(page) for page in pages],
               sorted(["npf.1"] + [f"npf-{verb}.1" for verb in verbs_in_help(NPF)]))


with tempfile.TemporaryDirectory() as folder:
    for program in PROGRAMS:
        check_options(program)
        check_pages(program, folder)
    check_values()
    check_shells(folder)
print(f"describing: {len(PROGRAMS)} programs")
