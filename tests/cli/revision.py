#!/usr/bin/env python3
"""revision.py NPF: files of a Git revision (--git) in a repository made here: what is read is what
the revision has, messages name it, and nothing that is given can be taken for an option."""
import gzip
import os
import subprocess
import sys
import tempfile

NPF = os.path.abspath(sys.argv[1])
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: shop}
spec: {podSelector: {}, %s}
"""
ENVIRONMENT = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null",
                   GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a",
                   GIT_COMMITTER_EMAIL="a@b")
for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
    ENVIRONMENT.pop(variable, None)


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        subprocess.run(("git",) + arguments, cwd=self.folder, env=ENVIRONMENT, check=True)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def npf(self, *arguments, folder="", path=None):
        environment = ENVIRONMENT if path is None else dict(ENVIRONMENT, PATH=path)
        return subprocess.run((NPF,) + arguments, cwd=os.path.join(self.folder, folder),
                              env=environment, capture_output=True, text=True, timeout=60)


def expect(result, status, *texts):
    for text in texts:
        if text not in result.stdout + result.stderr:
            sys.exit(f"{result.args}: no {text!r} in\n{result.stdout}{result.stderr}")
    if result.returncode != status:
        sys.exit(f"{result.args}: status {result.returncode}, wanted {status}\n{result.stderr}")


def build(folder):
    repository = Repository(folder)
    repository.write("deploy/a.yaml", POLICY % ("a", "ingress: []"))
    repository.write("deploy/sub dir/b.yml.gz", gzip.compress((POLICY % ("b", "egress: []")).encode()))
    repository.write("deploy/README.md", "not: [yaml")
    repository.write("deploy/.hidden/c.yaml", "not: [yaml")
    repository.write("only.md", "nothing")
    repository.commit()
    repository.git("branch", "feature/one")
    repository.write("deploy/a.yaml", POLICY % ("a", "ingres: []"))
    return repository


def check(repository):
    npf = repository.npf
    # The revision, not what lies on the disk; a file, a directory, the root, from wherever.
    expect(npf("validate", "--git", "-f", "main:deploy/"), 0, "NetworkPolicy        2")
    expect(npf("validate", "--git", "-f", "feature/one:deploy"), 0, "NetworkPolicy        2")
    expect(npf("validate", "--git", "-f", "main:deploy/a.yaml"), 0, "NetworkPolicy        1")
    expect(npf("validate", "--git", "-f", "main:"), 0, "NetworkPolicy        2")
    expect(npf("validate", "--git", "-f", "main:deploy", folder="deploy"), 0, "NetworkPolicy        2")
    expect(npf("validate", "--git", "-f", "main:./a.yaml", folder="deploy"), 0,
           "main:./a.yaml:1:1: warning")
    expect(npf("validate", "-f", "deploy"), 3, 'did you mean "ingress"')
    # On the disk beside a revision, and a colon that is none without --git.
    expect(npf("validate", "--git", "-f", "deploy/a.yaml", "-f", "main:deploy/"), 3,
           "deploy/a.yaml:4:25")
    expect(npf("validate", "-f", "main:deploy/"), 4, "cannot open")
    # Messages name the revision and the line.
    repository.commit()
    expect(npf("validate", "--git", "-f", "main:deploy/"), 3,
           "npf: main:deploy/a.yaml:4:25: NetworkPolicy shop/a: spec.ingres: unknown field")
    expect(npf("validate", "--git", "-f", "main~1:deploy/"), 0)
    expect(npf("explain", "--git", "-f", "feature/one:deploy", "10.0.0.1", "10.0.0.2:80"), 0)


def check_faults(repository):
    npf = repository.npf
    expect(npf("validate", "--git", "-f", "nowhere:deploy"), 4, 'git knows no revision "nowhere"')
    expect(npf("validate", "--git", "-f", "main:nowhere"), 4, "no such path in this revision")
    expect(npf("validate", "--git", "-f", "main:only.md"), 3, "npf: main:only.md:1:1")
    expect(npf("validate", "--git", "-f", ":deploy"), 3, "is no revision")
    expect(npf("validate", "--git", "--file=--output=x:deploy"), 3, "is no revision")
    expect(npf("validate", "--git", "-f", "main:a\nHEAD:deploy"), 3, "no line feed")
    expect(npf("validate", "--git", "-f", "main^{/x:y}:deploy"), 4,
           "git knows no revision")
    expect(npf("validate", "--git", "-f", "main:deploy", path="/nowhere"), 4, "cannot run git")
    expect(npf("validate", "--git", "-f", "main:deploy", folder="/"), 4, "not a git repository")
    if os.path.exists(os.path.join(repository.folder, "x")):
        sys.exit("something was written")
    os.symlink("a.yaml", os.path.join(repository.folder, "deploy/link.yaml"))
    os.symlink("a.yaml", os.path.join(repository.folder, "deploy/link.md"))
    repository.commit()
    expect(npf("validate", "--git", "-f", "main:deploy"), 3, "link.yaml is a symbolic link")
    repository.git("rm", "-q", "deploy/link.yaml")
    repository.git("update-index", "--add", "--cacheinfo",
                   "160000,0123456789012345678901234567890123456789,deploy/module")
    repository.git("commit", "-q", "-m", "module")
    expect(npf("validate", "--git", "-f", "main:deploy"), 3, "module is a submodule")


with tempfile.TemporaryDirectory() as folder:
    repository = build(folder)
    check(repository)
    check_faults(repository)
print("revisions: all as they should be")
