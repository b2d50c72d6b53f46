"""Checks the files of each crate against the layers that ARCHITECTURE.md declares: a file uses files of its own
layer or of lower ones, and no two files use each other, directly or through others.

    tests/with-python tests/layers.py                        counts, and whatever is out of order
    tests/with-python tests/layers.py --edges crates/core    every edge of one crate

The modules of the Python package are checked for circles, too, including imports inside functions and for type
checkers.

Edges are `use` declarations and paths (`crate::`, `super::`, `self::`, modules by their names), outside tests. A name
is followed through re-exports to the file that defines it, so a `mod.rs` that only re-exports names is in no circle.
"""

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The Python package.
PACKAGE = "python/gptimage"

# Crates that are checked: they must not have circles and, where layers are declared, no edge to a higher layer and no
# file outside them.
CHECKED = [
    "crates/model",
    "crates/core",
    "crates/emulator",
    "crates/cli",
    "bindings/shared",
    "bindings/ffi",
    "bindings/py",
    "tests/torture",
    "bench",
    PACKAGE,
]

# Files of one attempt: those in this folder that are reachable from this file.
ATTEMPT = ("crates/core", "transport/attempt_loop.rs", "transport/")

# The format in ARCHITECTURE.md: "Layers of CRATE" and a block with a line for each layer, from the bottom up: its
# name, two or more blanks, then its files and folders below `src`.
DECLARED = re.compile(r"^Layers of `([^`]+)`[^\n]*\n+```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


def declared_layers():
    """The layers of each crate as lists of (name, entries)."""
    layers = {}
    for crate, block in DECLARED.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")):
        lines = [re.split(r"\s{2,}", line.strip()) for line in block.splitlines() if line.strip()]
        layers[crate] = [(name, " ".join(entries).split()) for name, *entries in lines]
    return layers


LAYERS = declared_layers()

ITEM = re.compile(
    r"\b(?:struct|enum|union|trait|type|fn|mod|static|const|macro_rules!)\s+(?:mut\s+|r#)?([A-Za-z_]\w*)"
)


def without_comments_and_texts(code):
    """The code with comments gone and literals emptied; line breaks stay."""
    out, at = [], 0
    token = re.compile(
        r"//[^\n]*|/\*|b?r(#*)\"|b?\"(?:\\.|[^\"\\])*\"|b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^'\\\n])'", re.DOTALL
    )
    while match := token.search(code, at):
        out.append(code[at : match.start()])
        end = match.end()
        found = match.group()
        if found.startswith("/*"):
            depth = 1
            while depth and (inner := re.compile(r"/\*|\*/").search(code, end)):
                depth += 1 if inner.group() == "/*" else -1
                end = inner.end()
        elif match.group(1) is not None:
            close = code.find('"' + match.group(1), end)
            end = len(code) if close < 0 else close + 1 + len(match.group(1))
            out.append('""')
        elif not found.startswith("//"):
            out.append('""')
        out.append("\n" * code.count("\n", match.start(), end))
        at = end
    return "".join(out) + code[at:]


def end_of_item(code, at):
    """Behind the item that begins at `at`: behind its `;`, or behind its braces."""
    depth = 0
    for place in range(at, len(code)):
        char = code[place]
        if char in "{[(":
            depth += 1
        elif char in "}])":
            depth -= 1
            if depth == 0 and char == "}":
                return place + 1
        elif char == ";" and depth == 0:
            return place + 1
    return len(code)


def without_tests(code):
    """The code without items for tests."""
    attribute = re.compile(r"#\[cfg\((?:test|doctest|all\(test[^\]]*)\)\]")
    while match := attribute.search(code):
        end = match.end()
        while more := re.compile(r"\s*#\[[^\]]*\]").match(code, end):
            end = more.end()
        code = code[: match.start()] + code[end_of_item(code, end) :]
    return code


def use_tree(text):
    """(path, name it gets) of every leaf of a use declaration; the name of a glob is `*`."""
    text = text.strip()
    brace = text.find("{")
    if brace < 0:
        path, _, alias = (part.strip() for part in text.partition(" as "))
        steps = [step.strip().removeprefix("r#") for step in path.split("::") if step.strip()]
        if steps and steps[-1] == "self":
            steps.pop()
        if steps:
            yield steps, alias or steps[-1]
        return
    head = [step.strip() for step in text[:brace].split("::") if step.strip()]
    inner, depth, part = text[brace + 1 : text.rindex("}")], 0, ""
    for char in inner + ",":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            for steps, name in use_tree(part):
                whole = head + steps
                yield whole, name
            if part.strip() == "self":
                yield head, head[-1]
            part = ""
        else:
            part += char


class Module:
    def __init__(self, path, file, parent):
        self.path, self.file, self.parent = path, file, parent
        self.children, self.uses, self.items = {}, [], set()
        self.body = ""


class Crate:
    def __init__(self, name):
        self.name = name
        self.source = ROOT / name / "src"
        self.modules = []
        roots = [file for file in ("lib.rs", "main.rs") if (self.source / file).is_file()]
        self.root = self.read(roots[0], (), None)
        self.edges = {}
        for module in self.modules:
            self.edges.setdefault(module.file, {})
        for module in self.modules:
            self.connect(module)

    def read(self, file, path, parent):
        module = Module(path, file, parent)
        self.modules.append(module)
        text = (self.source / file).read_text(encoding="utf-8")
        code = without_tests(without_comments_and_texts(text))
        self.fill(module, code)
        return module

    def fill(self, module, code):
        """Takes a module's code apart: use declarations, modules, and the rest."""
        declaration = re.compile(
            r"(?:^|(?<=[;{}\n\]]))[ \t]*(pub(?:\([^)]*\))?\s+)?(?:use\s+([^;]+);|mod\s+(?:r#)?(\w+)\s*([;{]))"
        )
        rest, at = [], 0
        while match := declaration.search(code, at):
            rest.append(code[at : match.start()])
            at = match.end()
            if match.group(2):
                module.uses.extend((steps, name, bool(match.group(1))) for steps, name in use_tree(match.group(2)))
                continue
            name = match.group(3)
            if match.group(4) == ";":
                file = self.child_file(module, name)
                if file:
                    module.children[name] = self.read(file, (*module.path, name), module)
            else:
                end = end_of_item(code, match.end() - 1)
                child = Module((*module.path, name), module.file, module)
                self.modules.append(child)
                module.children[name] = child
                self.fill(child, code[match.end() : end - 1])
                at = end
        module.body = "".join(rest) + code[at:]
        module.items = set(ITEM.findall(module.body))

    def child_file(self, module, name):
        file = Path(module.file)
        folder = file.parent if file.name in ("mod.rs", "lib.rs", "main.rs") else file.with_suffix("")
        for candidate in (folder / f"{name}.rs", folder / name / "mod.rs"):
            if (self.source / candidate).is_file():
                return candidate.as_posix()
        return None

    def begin(self, module, steps):
        """The module that a path begins in and what is left of it; `None`: another crate."""
        first = steps[0]
        if first == "crate":
            return self.root, steps[1:]
        if first == "self":
            return module, steps[1:]
        if first == "super":
            while steps and steps[0] == "super":
                module, steps = module.parent or module, steps[1:]
            return module, steps
        if first in module.children:
            return module, steps
        return None

    def resolve(self, module, steps, seen=()):
        """The module that a path leads to, and the rest of the path, a name in it."""
        found = self.begin(module, steps)
        if found is None:
            for whole, name, _ in module.uses:
                if name == steps[0] and whole != steps and (module.path, name) not in seen:
                    return self.resolve(module, whole + steps[1:], (*seen, (module.path, name)))
            return None
        module, steps = found
        while steps:
            first = steps[0]
            if first in module.children:
                module, steps = module.children[first], steps[1:]
                continue
            if first in module.items or (module.path, first) in seen:
                break
            seen = (*seen, (module.path, first))
            named = next((whole for whole, name, _ in module.uses if name == first), None)
            if named is not None:
                return self.resolve(module, named + steps[1:], seen)
            for whole, name, _ in module.uses:
                if name == "*":
                    glob = self.resolve(module, whole[:-1], seen)
                    if glob and first in glob[0].items | set(glob[0].children):
                        return self.resolve(glob[0], ["self", *steps], seen)
            break
        return module, steps

    def connect(self, module):
        names = {name for _, name, _ in module.uses}
        used = set(re.findall(r"[A-Za-z_]\w*", module.body))
        paths = []
        for steps, name, public in module.uses:
            # A re-export alone does not count as a use.
            if name == "*" and not public:
                paths.append(steps[:-1])
            elif name != "*" and (not public or name in used):
                paths.append(steps)
        for text in re.findall(r"(?<![\w:])((?:r#)?[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+)", module.body):
            steps = [step.strip() for step in text.split("::")]
            if steps[0] in ("crate", "self", "super") or steps[0] in module.children or steps[0] in names:
                paths.append(steps)
        for steps in paths:
            target = self.resolve(module, steps)
            if target is None:
                continue
            # A module by itself is only a name; its use is a path of its own.
            if not target[1] and len(steps) > 0 and target[0].path and self.is_alias(module, steps):
                continue
            if target[0].file != module.file:
                self.edges[module.file].setdefault(target[0].file, "::".join(steps))

    def is_alias(self, module, steps):
        name = steps[-1]
        return re.search(rf"(?<![\w:]){re.escape(name)}\s*::", module.body) is not None

    def circles(self):
        """Sets of files that use each other, by Tarjan's algorithm."""
        index, low, stack, circles = {}, {}, [], []

        def visit(file):
            index[file] = low[file] = len(index)
            stack.append(file)
            for other in self.edges[file]:
                if other not in index:
                    visit(other)
                    low[file] = min(low[file], low[other])
                elif other in stack:
                    low[file] = min(low[file], index[other])
            if low[file] == index[file]:
                circle = []
                while True:
                    circle.append(stack.pop())
                    if circle[-1] == file:
                        break
                if len(circle) > 1:
                    circles.append(sorted(circle))

        for file in sorted(self.edges):
            if file not in index:
                visit(file)
        return circles

    def pairs(self):
        """Pairs of files that use each other directly."""
        edges = self.edges
        return [(file, other) for file in sorted(edges) for other in edges[file] if file < other and file in edges[other]]

    def layer(self, file):
        """The number of a file's layer; the longest entry counts."""
        best = (-1, None)
        for number, (_, entries) in enumerate(LAYERS.get(self.name, [])):
            for entry in entries:
                if (file == entry or (entry.endswith("/") and file.startswith(entry))) and len(entry) > best[0]:
                    best = (len(entry), number)
        return best[1]

    def arrows_back(self):
        for file, others in sorted(self.edges.items()):
            for other, path in sorted(others.items()):
                own, others_layer = self.layer(file), self.layer(other)
                if own is not None and others_layer is not None and others_layer > own:
                    yield file, other, path

    def outside(self):
        """Files that are in no layer."""
        if self.name not in LAYERS:
            return []
        return [file for file in sorted(self.edges) if self.layer(file) is None]

    def stale(self):
        """Entries of layers that lead to no file."""
        entries = [entry for _, entries in LAYERS.get(self.name, []) for entry in entries]
        return [entry for entry in entries if not (self.source / entry).exists()]

    def reached(self, file):
        seen, left = set(), [file]
        while left:
            one = left.pop()
            if one not in seen:
                seen.add(one)
                left.extend(self.edges.get(one, ()))
        return seen

    def lines(self, files):
        return sum((self.source / file).read_text(encoding="utf-8").count("\n") for file in files)


class Package(Crate):
    """A Python package: the modules that each of its modules imports, wherever the import stands."""

    def __init__(self, folder):
        self.name, self.source = folder, ROOT / folder
        files = {file.stem: file.name for file in sorted(self.source.glob("*.py"))}
        package = self.source.name
        self.edges = {name: {} for name in files.values()}
        for stem, file in files.items():
            tree = ast.parse((self.source / file).read_text(encoding="utf-8"), file)
            for node in ast.walk(tree):
                paths = []
                if isinstance(node, ast.ImportFrom) and node.module:
                    paths = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                elif isinstance(node, ast.Import):
                    paths = [alias.name for alias in node.names]
                for path in paths:
                    root, _, module = path.partition(".")
                    # Importing a module first runs the package's `__init__.py`.
                    if root == package and module in files and module != stem:
                        self.edges[file][files[module]] = path


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--edges", metavar="CRATE", help="every edge of a crate, and nothing else")
    given = arguments.parse_args()
    failed = False
    for name in CHECKED:
        crate = Package(name) if name == PACKAGE else Crate(name)
        if given.edges:
            if name == given.edges:
                for file, others in sorted(crate.edges.items()):
                    for other, path in sorted(others.items()):
                        print(f"{file} -> {other}  ({path})")
            continue
        circles, arrows = crate.circles(), list(crate.arrows_back())
        outside, stale = crate.outside(), crate.stale()
        count = f"{len(crate.edges)} files, {sum(map(len, crate.edges.values()))} arrows"
        back = f"{len(arrows)} back" if name in LAYERS else "no layers declared"
        knots = f"{len(circles)} circles with {sum(map(len, circles))} files, {len(crate.pairs())} pairs"
        print(f"{name}: {count}, {back}, {knots}")
        if name == ATTEMPT[0]:
            crossed = sorted(file for file in crate.reached(ATTEMPT[1]) if file.startswith(ATTEMPT[2]))
            print(f"  one attempt crosses {len(crossed)} files of {ATTEMPT[2]}, {crate.lines(crossed)} lines")
        failed |= bool(circles or arrows or outside or stale)
        for file in outside:
            print(f"  {file}: in no layer; put it into one in ARCHITECTURE.md")
        for entry in stale:
            print(f"  {entry}: a layer in ARCHITECTURE.md names it, and there is no such file")
        for file, other, path in arrows:
            print(f"  {file} uses {other}, of a higher layer: {path}")
        for circle in circles:
            print(f"  a circle: {', '.join(circle)}")
            for file in circle:
                for other in sorted(set(crate.edges[file]) & set(circle)):
                    print(f"    {file} uses {other}: {crate.edges[file][other]}")
    if failed:
        sys.exit("files use each other against the layers of ARCHITECTURE.md")


if __name__ == "__main__":
    main()
