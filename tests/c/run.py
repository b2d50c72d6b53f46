"""Tests libgptimage as users have it: installed, found by CMake and by pkg-config, shared and static.

    python3 tests/c/run.py PREFIX path/to/gptimage

Builds tests/c and the examples below the target folder in several ways and runs all of them: plainly, with sanitizers,
and some under valgrind. Then runs the shared cases through the shared library. Prints a line for each; exit code 1 if
one failed. On Debian, root installs missing programs; otherwise what needs them is skipped and reported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import header  # noqa: E402
import install  # noqa: E402
from install import Skipped  # noqa: E402

BUILDS = install.TARGET / "c-tests"

VALGRIND = [
    "valgrind",
    "--fair-sched=yes",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite",
    "--error-exitcode=9",
]
# The other programs depend on timing, or have processes that end on purpose.
UNDER_VALGRIND = ["contract_c", "nulls_c", "texts_c", "threads_c", "ownership_cpp", "errors_cpp", "tool_is_in"]

# These show that the static library is complete, and that it behaves like the shared one in processes that end or
# fork.
LINKED_STATICALLY = ["contract_c", "ending_c", "forks_c", "nulls_c", "signals_c", "threads_c", "errors_cpp"]
LINKED_STATICALLY += ["example_generate_c"]


@dataclass(frozen=True)
class Variant:
    """One way to build and run everything."""

    name: str
    settings: list[str]
    only: list[str] = field(default_factory=list)
    # Variants whose settings do not change the programs share a folder.
    folder: str = ""


VARIANTS = [
    Variant("shared", []),
    Variant("static", ["-DGPTIMAGE_STATIC=ON"], only=LINKED_STATICALLY),
    Variant("sanitized", ["-DGPTIMAGE_SANITIZE=ON"]),
    Variant("valgrind", [f"-DGPTIMAGE_RUN_WITH={';'.join(VALGRIND)}"], only=UNDER_VALGRIND, folder="shared"),
]


class Report:
    """A line for each thing that was tried."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []
        self.skipped = 0
        self._began = time.monotonic()

    def line(self, name: str, seconds: float, failure: str | None) -> None:
        print(f"{'ok    ' if failure is None else 'FAILED'} {seconds:6.1f} s  {name}", flush=True)
        if failure is None:
            self.passed += 1
        else:
            self.failed.append(name)
            print(indented(failure), flush=True)

    def skip(self, name: str, why: object) -> None:
        self.skipped += 1
        print(f"skipped          {name}: {why}", flush=True)
        install.skipped(f"C: {name}", why)

    def run(self, name: str, *command: str | Path, **environment: str) -> bool:
        """A command that has to succeed."""
        began = time.monotonic()
        done = output(*command, **environment)
        failure = None if done.returncode == 0 else f"code {done.returncode}\n{done.stdout}"
        self.line(name, time.monotonic() - began, failure)
        return failure is None

    def end(self) -> int:
        for name in self.failed:
            print(f"failed: {name}")
        counts = f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"
        print(f"{counts}, {time.monotonic() - self._began:.0f} s")
        return 1 if self.failed else 0


def indented(text: str) -> str:
    lines = text.rstrip().splitlines()
    shown = lines if len(lines) <= 80 else [*lines[:40], f"… {len(lines) - 80} lines …", *lines[-40:]]
    return "\n".join(f"    {line[:400]}" for line in shown)


def output(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    )


def main() -> int:
    prefix, command = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    # Loopback only: the machine's proxies must not be used.
    os.environ["NO_PROXY"] = "127.0.0.1"
    report = Report()
    library = find_library(prefix)
    install.programs(valgrind="valgrind", **{"pkg-config": "pkg-config"})
    report.run("the exported symbols", sys.executable, HERE / "check_symbols.py", library)
    try_staged(report)
    try_pkg_config(report, prefix, command)
    try_programs(report, prefix, command)
    report.run("tests/cases", sys.executable, HERE / "cases.py", library, command)
    return report.end()


def try_programs(report: Report, prefix: Path, command: Path) -> None:
    """All programs, each way."""
    try:
        cmake = find_cmake()
    except Skipped as why:
        report.skip("programs in C and C++", f"no cmake, for {why}")
        return
    for variant in VARIANTS:
        if variant.name == "valgrind" and not shutil.which("valgrind"):
            report.skip(variant.name, "it is not installed")
            continue
        build = build_variant(report, cmake, variant, prefix, command)
        if build is None:
            continue
        if variant.name == "shared":
            covers_all(report, build)
        if variant.name == "sanitized":
            sanitizers_are_in(report, prefix)
        run_variant(report, cmake, variant, build)


def find_library(prefix: Path) -> Path:
    """The shared library, wherever this system has its libraries."""
    for found in sorted(prefix.glob("lib*/**/libgptimage.so")) + sorted(prefix.glob("lib*/**/libgptimage.dylib")):
        return found
    raise SystemExit(f"there is no libgptimage.so in {prefix}")


def find_cmake() -> Path:
    """The machine's cmake if it is new enough to write down what its tests did, else the registry's."""
    if found := shutil.which("cmake"):
        version = re.search(r"version (\d+)\.(\d+)", output(found, "--version").stdout)
        if version and (int(version[1]), int(version[2])) >= (3, 21):
            return Path(found)
    python = install.python(install.TARGET / "c-tools", HERE / "requirements.txt")
    return python.with_name("cmake")


def try_staged(report: Report) -> None:
    """As packagers do it: DESTDIR for the copies, PREFIX for what they say of themselves; and a blank in it."""
    prefix = "/opt/our tools"
    with tempfile.TemporaryDirectory() as stage:
        command: list[str | Path] = ["make", "--no-print-directory", "-C", ROOT, "install", f"DESTDIR={stage}", f"PREFIX={prefix}"]
        if not report.run("make install DESTDIR", *command):
            return
        root = Path(stage + prefix)
        problem = None
        if sys.platform == "linux":
            problem = wrong_with_links(root / "lib")
        description = (root / "lib" / "pkgconfig" / "gptimage.pc").read_text("utf-8")
        found = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
        wanted = {"include/gptimage.h", "include/gptimage.hpp", "lib/libgptimage.a", "lib/pkgconfig/gptimage.pc"}
        wanted |= {f"lib/cmake/gptimage/gptimage-config{kind}.cmake" for kind in ("", "-version")}
        if missing := sorted(wanted - found):
            problem = f"these are missing: {missing}"
        if stage in description or f"prefix={prefix.replace(' ', chr(92) + ' ')}\n" not in description:
            problem = f"not its prefix: {description}"
        if not re.search(r"^Libs\.private: .*-lc\b", description, re.MULTILINE):
            problem = f"it does not say what the static library needs: {description}"
        if shutil.which("pkg-config"):
            said = output("pkg-config", "--variable=libdir", "gptimage", PKG_CONFIG_PATH=str(root / "lib" / "pkgconfig")).stdout
            if said.replace("\\", "").strip() != f"{prefix}/lib":
                problem = f"pkg-config reads {said}"
        report.line("what it installed", 0, problem)


def wrong_with_links(libraries: Path) -> str | None:
    """libgptimage.so and the name that programs keep lead to the one file, whose name has the whole version."""
    listing = output("readelf", "-d", libraries / "libgptimage.so").stdout
    name = re.search(r"\(SONAME\).*\[(.*)\]", listing)
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    parts = version[1].partition("-")[0].split(".")
    kept = next((count for count, part in enumerate(parts, 1) if part != "0"), 3)
    wanted = "libgptimage.so." + ".".join(parts[:kept])
    if not name or name[1] != wanted or "NODELETE" not in listing:
        return f"its SONAME is not {wanted}, or it may be unloaded:\n{listing}"
    whole = "libgptimage.so." + ".".join(parts)
    links = {path.name: os.readlink(path) for path in libraries.iterdir() if path.is_symlink()}
    right = {link: whole for link in ("libgptimage.so", wanted) if link != whole}
    return None if links == right else f"the links are {links}"


def try_pkg_config(report: Report, prefix: Path, command: Path) -> None:
    """The header's own words: cc demo.c $(pkg-config --cflags --libs gptimage)."""
    name = "examples/c/generate.c by pkg-config"
    if not shutil.which("pkg-config"):
        report.skip(name, "pkg-config is not installed")
        return
    library = find_library(prefix).parent
    with tempfile.TemporaryDirectory() as folder:
        source, program = ROOT / "examples" / "c" / "generate.c", Path(folder) / "generate"
        # Of two libraries with one name the linker takes the shared one, so the static one is named by its path.
        static = f"--static gptimage | sed 's|-lgptimage|{library}/libgptimage.a|'"
        for kind, wanted in (("", "gptimage"), (" --static", static)):
            script = f'cc -o "{program}" "{source}" $(pkg-config --cflags --libs {wanted})'
            if report.run(name + kind, "sh", "-c", script, PKG_CONFIG_PATH=str(library / "pkgconfig")):
                made = f'"{program}" && test -s t-rex.png'
                # A statically linked program does not search for the library.
                where = {} if kind else {"LD_LIBRARY_PATH": str(library), "DYLD_LIBRARY_PATH": str(library)}
                report.run("that program", HERE / "with_emulator.sh", command, "sh", "-c", made, **where)


def build_variant(report: Report, cmake: Path, variant: Variant, prefix: Path, command: Path) -> Path | None:
    build = BUILDS / (variant.folder or variant.name)
    # Unchanged sources are not compiled again, but the library's location is looked up anew.
    (build / "CMakeCache.txt").unlink(missing_ok=True)
    settings = [f"-DCMAKE_PREFIX_PATH={prefix}", f"-DGPTIMAGE_COMMAND={command}", *variant.settings]
    began = time.monotonic()
    done = output(cmake, "-S", HERE, "-B", build, *settings)
    if done.returncode == 0:
        targets = ["--target", *variant.only] if variant.only else []
        done = output(cmake, "--build", build, "--parallel", str(os.cpu_count() or 1), *targets)
    failure = None if done.returncode == 0 else done.stdout
    report.line(f"{variant.name}: build", time.monotonic() - began, failure)
    return build if failure is None else None


def run_variant(report: Report, cmake: Path, variant: Variant, build: Path) -> None:
    results = build / "results.xml"
    results.unlink(missing_ok=True)
    chosen = ["-R", f"^({'|'.join(variant.only)})$"] if variant.only else []
    command: list[str | Path] = [cmake.with_name("ctest"), "--test-dir", build, "--output-junit", results, *chosen]
    done = output(*command, "--parallel", str(os.cpu_count() or 1))
    if not results.exists():
        report.line(f"{variant.name}: ctest", 0, done.stdout)
        return
    tests = xml.parse(results).getroot().findall("testcase")
    for test in sorted(tests, key=lambda test: test.get("name", "")):
        said = test.findtext("system-out") or ""
        failure = None if test.get("status") == "run" else f"{test.get('status')}\n{said}"
        report.line(f"{variant.name}: {test.get('name')}", float(test.get("time", 0)), failure)
    if not tests:
        report.line(f"{variant.name}: ctest", 0, f"there are no tests\n{done.stdout}")


def covers_all(report: Report, build: Path) -> None:
    """contract.c uses every function that there is."""
    done = output("nm", "--undefined-only", "--format=posix", build / "contract_c")
    used = {line.split()[0].partition("@")[0] for line in done.stdout.splitlines() if line.startswith("gptimage_")}
    listed = {prototype.name for prototype in header.prototypes()}
    unused = " ".join(sorted(listed - used))
    report.line("contract.c uses every function", 0, f"but {unused}" if unused else None)


def sanitizers_are_in(report: Report, prefix: Path) -> None:
    """A program that is broken on purpose is reported."""
    library = find_library(prefix).parent
    flags = ["-g", "-fsanitize=address,undefined", f"-I{prefix / 'include'}", f"-L{library}", f"-Wl,-rpath,{library}"]
    with tempfile.TemporaryDirectory() as folder:
        program, source = Path(folder) / "freed", HERE / "sanitizer" / "freed.c"
        if not report.run("a broken program: build", "cc", "-o", program, source, *flags, "-lgptimage"):
            return
        done = output(program)
        reported = done.returncode != 0 and "heap-use-after-free" in done.stdout
        report.line("a broken program is reported", 0, None if reported else f"code {done.returncode}\n{done.stdout}")


if __name__ == "__main__":
    sys.exit(main())
