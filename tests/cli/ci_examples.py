#!/usr/bin/env python3
"""ci_examples.py SOURCE NPF: the examples for CI, run as written in a repository made here: once
with a change that is fine, once with one that opens a database. What only the services themselves can
do (uploading a report, say) is left out; terraform and helm are stand-ins that print what they would."""
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

SOURCE, NPF = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
EXAMPLES = os.path.join(SOURCE, "examples/ci")
FINE = ("          port: 5432\n", "          port: 5432\n        - protocol: TCP\n          port: 9999\n")
OPENED = ("        - podSelector:\n            matchLabels:\n              app: api\n      ports:\n"
          "        - protocol: TCP\n          port: 5432\n",
          "        - namespaceSelector: {}\n      ports:\n        - protocol: TCP\n          port: 5432\n")

HELM = """#!/bin/sh
# helm template NAME CHART --namespace NAMESPACE
for file in "$3"/templates/*.yaml; do echo "---"; echo "# Source: $file"; cat "$file"; done
"""
TERRAFORM = """#!/bin/sh
# terraform show -json [PLAN]
if [ -n "$3" ]; then cat "$3"; else cat state.json; fi
"""


def fail(text):
    sys.exit("ci examples: " + text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    if executable:
        os.chmod(path, 0o755)


class Repository:
    """A repository with deploy/, a chart and ci/, its main branch, and a branch that changes it."""

    def __init__(self, folder):
        self.root = os.path.join(folder, "repository")
        self.bin = os.path.join(folder, "bin")
        self.environment = dict(
            os.environ, PATH=self.bin + os.pathsep + os.environ["PATH"], HOME=folder,
            GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", GIT_AUTHOR_NAME="a",
            GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
        for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            self.environment.pop(variable, None)
        os.makedirs(self.bin)
        os.symlink(NPF, os.path.join(self.bin, "npf"))
        write(os.path.join(self.bin, "helm"), HELM, executable=True)
        write(os.path.join(self.bin, "terraform"), TERRAFORM, executable=True)
        self.policies = read(os.path.join(SOURCE, "examples/three-tier/policies.yaml"))
        cluster = read(os.path.join(SOURCE, "examples/three-tier/cluster.yaml"))
        for name in ("deploy", "chart/templates"):
            write(os.path.join(self.root, name, "cluster.yaml"), cluster)
        write(os.path.join(self.root, "chart/Chart.yaml"), "apiVersion: v2\nname: shop\n")
        shutil.copytree(EXAMPLES, os.path.join(self.root, "ci"))
        shutil.copy(os.path.join(EXAMPLES, "expectations.yaml"), self.root)
        self.change(("", ""))
        self.run("git init -q -b main && git add -A && git commit -q -m base", 0)
        self.run("git remote add origin . && git fetch -q origin && git checkout -q -b change", 0)

    def change(self, edit):
        before, after = edit
        if before not in self.policies:
            fail(f"examples/three-tier/policies.yaml has no {before!r}")
        text = self.policies.replace(before, after) if before else self.policies
        for name in ("deploy", "chart/templates"):
            write(os.path.join(self.root, name, "policies.yaml"), text)

    def run(self, command, status, *texts, **more):
        result = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=self.root,
                                env=dict(self.environment, **more), capture_output=True, text=True,
                                timeout=120)
        if result.returncode != status:
            fail(f"{command}\nstatus {result.returncode}, wanted {status}\n{result.stdout}"
                 f"{result.stderr}")
        for text in texts:
            if text not in result.stdout:
                fail(f"{command}\nno {text!r} in\n{result.stdout}{result.stderr}")

    def report(self, name):
        return read(os.path.join(self.root, "npf-out", name))


def steps_of_github():
    """The `run: |` blocks by the name of their step."""
    steps, name, block = {}, None, None
    for line in read(os.path.join(EXAMPLES, "github.yml")).splitlines():
        if block is not None and line.startswith(" " * 10):
            steps[name] += line.strip() + "\n"
            continue
        block = None
        if match := re.match(r" +- name: (.*)", line):
            name = match[1]
        elif line.strip() == "run: |":
            block, steps[name] = name, ""
    return steps


def check_script(repository, opened):
    repository.run("ci/check.sh main", 1 if opened else 0, "5432" if opened else "9999")
    if ("<failure" in repository.report("junit.xml")) != opened:
        fail("junit.xml does not tell")
    json.loads(repository.report("lint.sarif"))


def check_github(repository, opened, folder):
    steps = steps_of_github()
    archive = os.path.join(folder, "npf.tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(NPF, arcname="bin/npf")
    summary = os.path.join(folder, "summary.md")
    more = {"NPF_URL": "file://" + archive, "BASE": "origin/main", "GITHUB_STEP_SUMMARY": summary,
            "GITHUB_PATH": os.path.join(folder, "path")}
    if sorted(steps) != sorted(["Install npf", "Validate", "Lint", "Test",
                                "What the change opens and closes"]):
        fail(f"github.yml: steps {sorted(steps)}")
    write(summary, "")
    for name, script in steps.items():
        if name == "Install npf" and not shutil.which("curl"):
            continue
        repository.run(script, 1 if opened and name == "Test" else 0, **more)
    if ("5432" if opened else "9999") not in read(summary):
        fail("github.yml: the summary does not say what changes")
    json.loads(repository.report("lint.sarif"))


def check_gitlab(repository, opened):
    text = read(os.path.join(EXAMPLES, "gitlab.yml"))
    script = text.partition("  script:\n")[2].partition("  artifacts:")[0]
    if not shutil.which("jq"):
        script = "".join(line for line in script.splitlines(True) if "jq" not in line)
    lines = [line.strip()[2:] for line in script.splitlines()]
    repository.run("\n".join(lines), 1 if opened else 0, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    if shutil.which("jq"):
        for finding in json.loads(repository.report("codequality.json")):
            if not finding["fingerprint"] or finding["location"]["lines"]["begin"] < 1:
                fail(f"codequality.json: {finding}")
    repository.report("junit.xml")


def check_pre_commit(repository, opened):
    entries = re.findall(r"entry: (.*)", read(os.path.join(EXAMPLES, "pre-commit.yaml")))
    for entry in entries:
        repository.run(entry, 1 if opened and "npf test" in entry else 0)


def check_helm(repository, opened):
    repository.run("ci/helm.sh main", 1 if opened else 0)
    repository.run("git worktree list | wc -l | grep -qx 1", 0)


def plan_of(labels, opened=False):
    """A state, and a plan, of the policy of the database: from pods with these labels, or from all."""
    def selector(chosen):
        return [{"match_labels": chosen, "match_expressions": []}]
    peer = {"pod_selector": [] if opened else selector(labels), "ip_block": [],
            "namespace_selector": selector({}) if opened else []}
    values = {"metadata": [{"name": "postgres", "namespace": "shop"}], "spec": [{
        "pod_selector": [{"match_labels": {"app": "postgres"}, "match_expressions": []}],
        "policy_types": ["Ingress"], "egress": [],
        "ingress": [{"from": [peer], "ports": [{"port": "5432", "protocol": "TCP"}]}]}]}
    address = "kubernetes_network_policy_v1.postgres"
    module = {"root_module": {"resources": [{
        "address": address, "mode": "managed", "type": "kubernetes_network_policy_v1",
        "values": values}]}}
    change = {"address": address, "change": {"actions": ["update"], "after_unknown": {}}}
    return ({"format_version": "1.0", "terraform_version": "1.11.4", "values": module},
            {"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": module,
             "resource_changes": [change]})


def check_terraform(repository, opened):
    """The policy of the database is Terraform's, everything else the cluster's."""
    state, _ = plan_of({"app": "api"})
    _, plan = plan_of({"app": "api"}, opened)
    write(os.path.join(repository.root, "state.json"), json.dumps(state))
    write(os.path.join(repository.root, "plan.bin"), json.dumps(plan))
    policies = [text for text in repository.policies.split("---\n")
                if "name: postgres\n" not in text.partition("spec:")[0]]
    cluster = read(os.path.join(repository.root, "deploy/cluster.yaml"))
    write(os.path.join(repository.root, "cluster.yaml"), "---\n".join([cluster] + policies))
    script = read(os.path.join(EXAMPLES, "terraform.sh")).replace("cluster.json", "cluster.yaml")
    repository.run(f"set -- plan.bin\n{script}", 1 if opened else 0)


def check_docs():
    """What docs/ci.md shows is what was run."""
    shown = re.findall(r"<!-- (examples/ci/\S+) -->\n```\w*\n(.*?)```", read(SOURCE + "/docs/ci.md"),
                       re.S)
    if len(shown) < 5:
        fail("docs/ci.md shows too few examples")
    for path, text in shown:
        if text != read(os.path.join(SOURCE, path)):
            fail(f"docs/ci.md shows another {path}")


def main():
    check_docs()
    help_text = subprocess.run([NPF, "--help"], capture_output=True, text=True, check=True).stdout
    for verb in ("lint", "test", "diff"):
        if f"\n  {verb} " not in help_text:
            print(f"skipped: this npf has no verb {verb}")
            sys.exit(77)
    for opened in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            repository = Repository(folder)
            repository.change(OPENED if opened else FINE)
            check_script(repository, opened)
            check_github(repository, opened, folder)
            check_gitlab(repository, opened)
            check_pre_commit(repository, opened)
            check_helm(repository, opened)
            check_terraform(repository, opened)
    print("ci examples: all run as written")


main()
