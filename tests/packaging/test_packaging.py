"""What a release is made of: the smoke test, the workflow, the recipes, completions and manuals."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dsir.version import __version__

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "pyproject.toml"

pytestmark = pytest.mark.skipif(not PROJECT.is_file(), reason="the sources are not there")


@pytest.fixture(scope="module")
def project():
    tomllib = pytest.importorskip("tomllib")  # In Python since 3.11.
    return tomllib.loads(PROJECT.read_text("utf-8"))


def test_the_smoke_test_passes(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "tests/packaging/smoke.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"dsir {__version__} on" in done.stdout


def test_the_workflow_is_pinned_and_holds_no_password():
    yaml = pytest.importorskip("yaml")
    text = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    flow = yaml.safe_load(text)
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert len(used) >= 8
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    assert "secrets." not in text
    assert flow["permissions"] == {"contents": "read"}
    for name, job in flow["jobs"].items():
        rights = job.get("permissions", {})
        assert ("id-token" in rights) == (name == "publish")
    publish = flow["jobs"]["publish"]
    assert publish["if"] == "github.event_name == 'push'"
    assert set(publish["needs"]) == set(flow["jobs"]) - {"publish"}
    assert publish["environment"] == "pypi"


def test_a_tag_has_to_be_the_version(tmp_path):
    yaml = pytest.importorskip("yaml")
    flow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))
    [check] = [step["run"] for step in flow["jobs"]["publish"]["steps"] if "run" in step]
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "dsir-1.2.0-cp311-cp311-linux_x86_64.whl").touch()
    (tmp_path / "dist" / "dsir-1.2.0.tar.gz").touch()
    for tag, passes in (("v1.2.0", True), ("v1.2", False), ("v1.2.1", False), ("v1", False)):
        done = subprocess.run(
            ["bash", "-e", "-c", check],
            cwd=tmp_path,
            env={**os.environ, "GITHUB_REF_NAME": tag},
            capture_output=True,
            check=False,
        )
        assert (done.returncode == 0) == passes, tag


def test_wheels_are_built_for_every_python_that_is_promised(project):
    wheels = project["tool"]["cibuildwheel"]
    minor = [
        int(found[1])
        for one in project["project"]["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", one))
    ]
    assert f">=3.{min(minor)}" == project["project"]["requires-python"]
    expected = [f"cp3{one}-*" for one in minor] + ["cp314t-*"]
    assert wheels["build"] == expected
    assert (ROOT / wheels["test-command"].partition("{project}/")[2]).is_file()


@pytest.mark.parametrize(
    ("platform", "archs", "kinds"),
    [
        ("linux", "x86_64,aarch64", ("manylinux", "musllinux")),
        ("macos", "x86_64,arm64", ("macosx",)),
    ],
)
def test_cibuildwheel_understands_it(platform, archs, kinds):
    """And there is a wheel of each Python: for Linux by both C libraries, and for macOS."""
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
    names = said_by(
        "cibuildwheel", [*command, "--platform", platform, "--archs", archs]
    ).stdout.split()
    pythons = ("cp310", "cp311", "cp312", "cp313", "cp314", "cp314t")
    machines = [f"{kind}_{arch}" for kind in kinds for arch in archs.split(",")]
    assert sorted(names) == sorted(f"{one}-{machine}" for one in pythons for machine in machines)


def said_by(tool, command):
    """Run a tool of packagers; skip where it is not installed."""
    if shutil.which(tool, path=Path(sys.executable).parent) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", ".github/workflows/release.yml"),
        ("vendor.citation-file-format", "CITATION.cff"),
    ],
)
def test_files_are_as_their_readers_want_them(schema, file):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]
    said_by("check-jsonschema", command)


def test_the_workflow_has_no_known_weakness():
    program = str(Path(sys.executable).with_name("zizmor"))
    said_by("zizmor", [program, "--offline", ".github/workflows/release.yml"])


def test_the_dockerfile_has_no_known_weakness():
    # apt-get installs a compiler that is not in the image, so its version need not be pinned.
    program = str(Path(sys.executable).with_name("hadolint"))
    said_by("hadolint", [program, "--ignore", "DL3008", "packaging/Dockerfile"])


def test_the_conda_recipe_has_the_same_requirements(project):
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "packaging/conda/recipe.yaml").read_text("utf-8"))
    assert recipe["context"]["version"] == __version__
    run = [one.replace(" ", "") for one in recipe["requirements"]["run"]]
    asked = project["project"]
    assert run == [f"python{asked['requires-python']}", *asked["dependencies"]]
    host = {one.replace(" ", "") for one in recipe["requirements"]["host"]}
    assert set(project["build-system"]["requires"]) <= host
    [script] = recipe["build"]["python"]["entry_points"]
    assert script == f"dsir = {asked['scripts']['dsir']}"


def test_the_image_is_not_run_by_root():
    lines = (ROOT / "packaging/Dockerfile").read_text("utf-8").splitlines()
    last = max(place for place, line in enumerate(lines) if line.startswith("FROM "))
    runtime = lines[last:]
    assert "USER 1000" in runtime
    assert not any("apt-get" in line for line in runtime)
    # What the build copies is there, and not ignored.
    copied = [one for line in lines if line.startswith("COPY ") for one in line.split()[1:-1]]
    shown = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for one in copied:
        if not one.startswith(("--from", "/opt")):
            assert (ROOT / one).exists(), one
            assert f"!{one}" in shown


@pytest.mark.parametrize(
    ("system", "stdlib"),
    [
        ("linux-64", "sysroot_linux-64 2.28.*"),
        ("linux-aarch64", "sysroot_linux-aarch64 2.28.*"),
        ("osx-64", "macosx_deployment_target_osx-64 12.0.*"),
        ("osx-arm64", "macosx_deployment_target_osx-arm64 12.0.*"),
    ],
)
def test_the_conda_recipe_gives_a_package_for_each_python(project, system, stdlib):
    rattler = pytest.importorskip("rattler_build")
    given = {"target_platform": system, "build_platform": system, "host_platform": system}
    folder = ROOT / "packaging/conda"
    variants = rattler.VariantConfig.from_file_with_context(
        folder / "variants.yaml", rattler.JinjaConfig(platform=rattler.PlatformConfig(**given))
    )
    recipe = rattler.Stage0Recipe.from_file(folder / "recipe.yaml")
    config = rattler.RenderConfig(platform=rattler.PlatformConfig(**given))
    found = [one.recipe for one in recipe.render(variants, config)]
    pythons = [one.build.to_dict()["string"].partition("h")[0] for one in found]
    listed = project["project"]["classifiers"]
    assert pythons == [f"py3{one.rpartition('.')[2]}" for one in listed if ":: Python :: 3." in one]
    for one in found:
        assert stdlib in one.requirements.to_dict()["build"]


@pytest.fixture(scope="module")
def manuals():
    sys.path.insert(0, str(ROOT / "packaging"))
    try:
        import man_pages
    finally:
        sys.path.pop(0)
    return man_pages


def test_every_command_and_option_has_its_manual(manuals):
    pages = manuals.pages()
    commands = manuals.commands()
    assert set(pages) == {"dsir.1", *(f"dsir-{name}.1" for name in commands)}
    for name, command in commands.items():
        page = pages[f"dsir-{name}.1"].replace("\\-", "-")
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden:
                for spelling in (*option.opts, *option.secondary_opts):
                    assert f"\\fB{spelling}\\fR" in page, f"{name} {spelling}"
        assert "`" not in page


def test_manuals_are_good_roff(manuals):
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    for name, text in manuals.pages().items():
        done = subprocess.run(
            [groff, "-man", "-ww", "-Tutf8", "-K", "utf8"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), name
        assert "dsir" in done.stdout


def test_the_shell_completes_commands_and_options(dsir_command):
    def completed(line):
        words = line.split(" ")
        done = subprocess.run(
            [dsir_command],
            env={
                **os.environ,
                "_DSIR_COMPLETE": "complete_bash",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(words) - 1),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.split()

    assert completed("dsir ver") == ["verify"]
    assert {"select", "gais"} <= set(completed("dsir "))
    assert completed("dsir select --max-p") == ["--max-per"]
