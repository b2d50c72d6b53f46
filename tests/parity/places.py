"""The places that repeat names of core: what each is compared with, and what it may omit or add, with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import readers
from readers import Reader, assigned, block, fields, keywords, keys, matches, methods, table, within

ROOT = Path(__file__).resolve().parents[2]

H = "include/gptimage.h"
HPP = "include/gptimage.hpp"
STATUS = "bindings/ffi/src/status.rs"
CLIENT = "python/gptimage/client.py"
TYPES = "python/gptimage/_types.py"
WORDS = "python/gptimage/_words.py"
EXCEPTIONS = "python/gptimage/exceptions.py"
RECORDS = "python/gptimage/records.py"
INIT = "python/gptimage/__init__.py"
STUB = "python/gptimage/_core.pyi"
EMULATOR = "python/gptimage/emulator.py"
PYTHON_PAGE = "docs/python.md"
EMULATOR_PAGE = "docs/emulator.md"


@dataclass(frozen=True)
class Place:
    """One place that repeats names."""

    file: str
    """The file, from the repository's root."""
    where: str
    """The place in it."""
    noun: str
    """What its names are."""
    read: Reader
    """Finds them."""
    wanted: tuple[str, ...]
    """The names that it should have, as it spells them."""
    source: str
    """Whose names those are."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Names that it leaves out, each with the reason."""
    beside: Iterable[str] | None = ()
    """Further names of its own; `None`: any, for only what it lacks can be told."""
    text: str | None = None
    """What is read, where that is not the file."""


def problems(place: Place, text: str) -> list[str]:
    """What is wrong with a place, in both directions."""
    found = {name for name, _ in place.read(text)}
    wanted = set(place.wanted)
    listed = f"{place.file}: {place.where}"
    wrong = [
        f"{listed} lacks the {place.noun} {name} ({place.source})"
        for name in place.wanted
        if name not in found and name not in place.absent
    ]
    wrong += [f"{listed} is said to lack the {place.noun} {name}, and has it" for name in place.absent if name in found]
    wrong += [
        f"{listed} is said to lack the {place.noun} {name}, which is not one of {place.source}"
        for name in place.absent
        if name not in wanted
    ]
    if place.beside is not None:
        beside = set(place.beside)
        wrong += [
            f"{listed} has the {place.noun} {name}, which is not one of {place.source}"
            for name in sorted(found - wanted - beside)
        ]
        wrong += [f"{listed} is said to have the {place.noun} {name}, and does not" for name in sorted(beside - found)]
    return wrong


def read(root: Path, place: Place) -> str:
    return (root / place.file).read_text("utf-8") if place.text is None else place.text


def spelled(names: Iterable[str], other: Mapping[str, str] | None = None, form: str = "{}") -> tuple[str, ...]:
    """Core's names as another language spells them."""
    return tuple((other or {}).get(name) or form.format(name) for name in names)


# --- Core's lists -----------------------------------------------------------------------------------------------------


class Lists:
    """What `gptimage-lists` prints."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.parameters: dict[str, list[str]] = {known["name"]: known["operations"] for known in data["parameters"]}
        self.kinds: list[dict[str, Any]] = data["error_kinds"]

    def of(self, operation: str) -> list[str]:
        return [name for name, operations in self.parameters.items() if operation in operations]

    def integers(self, operation: str) -> tuple[str, ...]:
        """The parameters of an operation that are numbers."""
        numbers = [known["name"] for known in self.data["parameters"] if known["integer"]]
        return tuple(name for name in self.of(operation) if name in numbers)

    def type(self, name: str, what: str, crates: tuple[str, ...] = ("model", "core")) -> list[str]:
        """Fields, methods or facts of a type. A type of a blocking client is named with its module."""
        types = {key: of[what] for crate in crates for key, of in self.data["types"][crate].items() if of.get(what)}
        found = [key for key in types if key == name or key.endswith(f"::{name}") and not key.startswith("blocking::")]
        assert found, f"no {what} of {name} are known: was it renamed? Then {__file__} has to know"
        assert len(found) == 1, f"{what} of several types {name}: {found}. Name one with its module"
        return list(types[found[0]])

    @property
    def options(self) -> list[str]:
        """What a client can be configured with: the setters of ClientBuilder."""
        # These are constructors, not setters.
        others = {"read_env", "build"}
        setters = self.type("ClientBuilder", "methods")
        return [name for name in setters if name not in others]


def places(lists: Lists) -> list[Place]:
    """Every place."""
    return [
        *rust(lists),
        *c(lists),
        *cpp(lists),
        *python(lists),
        *compiled(lists),
        *command(lists),
        *documentation(lists),
        *numbers(lists),
        *cases(lists),
    ]


# --- Rust -------------------------------------------------------------------------------------------------------------


def rust(lists: Lists) -> list[Place]:
    """The blocking client against the asynchronous one."""
    return [
        Place(
            "crates/core/src/blocking.rs",
            cls,
            "method",
            LINE,
            tuple(lists.type(cls, "methods")),
            f"the methods of the asynchronous {cls}",
            absent={"collect_one": "drain() waits, collect() gives all"} if cls == "Client" else {},
            text=lines(lists.type(f"blocking::{cls}", "methods")),
        )
        for cls in ("Client", "Call", "Reconcile")
    ]


# --- C ----------------------------------------------------------------------------------------------------------------

IN_JSON = "it is in the JSON"
OPTIONS_OF_C = {
    **{name: f"set_{name}" for name in ("api_key", "base_url")},
    "deadline": "set_deadline_ms",
    "header": "add_header",
    "timers": "set_timer_ms",
}
NO_OPTIONS_OF_C = {
    "headers": "add_header() is called for each",
    "no_proxy": 'set_proxy() with ""',
}
GETTERS_OF_ERROR = {
    "retry_after": "retry_after_ms",
    "violations": "violation",
}
NO_GETTERS_OF_ERROR = {
    "attempts": IN_JSON,
    "vendor_says_free": IN_JSON,
    "is_timeout": IN_JSON,
    "into_generated": "generated() and a copy",
}


def c(lists: Lists) -> list[Place]:
    error = lists.type("Error", "methods")
    operations = [
        Place(
            H,
            f"gptimage_{operation}_request_t",
            "setter",
            matches(rf"\bgptimage_{operation}_request_set_(\w+)\(", code=True),
            tuple(lists.of(operation)),
            "core's parameters",
            beside=[
                *("extra", "deadline_ms", "overwrite", "structural_rules"),
                *(("mask_path", "mask_bytes") if operation == "edit" else ()),
            ],
        )
        for operation in ("generate", "edit")
    ]
    operations += [
        Place(
            H,
            f"gptimage_{operation}_request_t, with int64_t,",
            "setter",
            matches(rf"\bgptimage_{operation}_request_set_(\w+)\(gptimage_\w+ \*request,\s+int64_t\b", code=True),
            lists.integers(operation),
            "core's parameters that are numbers",
        )
        for operation in ("generate", "edit")
    ]
    return [
        *operations,
        Place(
            H,
            "gptimage_config_t",
            "setter",
            matches(r"\bgptimage_config_((?!new\b|free\b)\w+)\(", code=True),
            spelled([name for name in lists.options if name not in NO_OPTIONS_OF_C], OPTIONS_OF_C, "set_{}"),
            "core's options",
        ),
        Place(
            H,
            "the comment of gptimage_config_set_timer_ms()",
            "timer",
            readers.before("gptimage_status_t gptimage_config_set_timer_ms(", matches(r'"(\w+)"')),
            tuple(lists.data["timers"]),
            "core's timers",
            absent={"tcp_keepalive_probes": "it is a count, not a time"},
        ),
        Place(
            H,
            "the statuses",
            "number",
            matches(r"^#define GPTIMAGE_STATUS_(\w+) (\d+)$", r"\1 = \2"),
            tuple(f"{kind['name'].upper()} = {kind['number']}" for kind in lists.kinds),
            "core's kinds of errors",
            beside=["OK = 0", "INVALID_ARGUMENT = 1", "PENDING = 5"],
        ),
        Place(
            H,
            "the phases",
            "number",
            matches(r"^#define GPTIMAGE_PHASE_(\w+) (\d+)$", r"\1 = \2"),
            tuple(f"{name.upper()} = {number}" for number, name in enumerate(lists.data["phases"])),
            "core's phases",
        ),
        Place(
            H,
            "gptimage_error_t",
            "function",
            matches(r"\bgptimage_error_(\w+)\(", code=True),
            spelled(error, GETTERS_OF_ERROR),
            "core's methods of Error",
            absent=NO_GETTERS_OF_ERROR,
            # Core has these under other names or not at all: the kind's number, the last attempt's ids, the number of
            # violations.
            beside=["status", "client_request_id", "inference_id", "violation_count", "json", "free"],
        ),
        Place(
            H,
            "gptimage_client_t",
            "function",
            matches(r"\bgptimage_client_(\w+)\(", code=True),
            tuple(lists.type("Client", "methods")),
            "core's methods of Client",
            absent={
                "builder": "gptimage_config_new()",
                "call": "generate() and edit()",
                "from_env": "a configuration begins with the environment",
                "balance": "not offered",
                "base_url": "not offered",
                "drain": "collect() waits",
                "collect_one": "collect() takes one",
            },
            beside=["new", "generate_to", "edit_to", "start_generate", "start_edit", "set_progress", "free"],
        ),
        Place(
            H,
            "gptimage_progress_t",
            "field",
            readers.struct("gptimage_progress_t", matches(r"\b(\w+);")),
            spelled(lists.type("Progress", "fields"), {"pause_seconds": "pause_ms"}),
            "core's fields of Progress",
        ),
        Place(
            H,
            "gptimage_budget_status_t",
            "field",
            readers.struct("gptimage_budget_status_t", matches(r"\b(\w+)(?:\[\w+\])?;")),
            tuple(lists.type("BudgetStatus", "fields")),
            "core's fields of BudgetStatus",
        ),
        Place(
            H,
            "gptimage_violation_t",
            "field",
            readers.struct("gptimage_violation_t", matches(r"\b(\w+);")),
            tuple(lists.type("Violation", "facts")),
            "core's facts of Violation",
        ),
        mentions(H, lists, absent=CGI),
        Place(
            "tests/c/contract.c",
            "statuses()",
            "status",
            matches(r'\{GPTIMAGE_STATUS_(\w+), "(\w+)"\}', r"\1 = \2"),
            tuple(f"{kind['name'].upper()} = {kind['name']}" for kind in lists.kinds),
            "core's kinds of errors",
            beside=["OK = ok", "INVALID_ARGUMENT = invalid_argument", "PENDING = pending"],
        ),
        Place(
            STATUS,
            "same_as_core!",
            "constant",
            within(r"^same_as_core! \{$", r"^\}$", matches(r"\bGPTIMAGE_STATUS_(\w+) = (\w+)", r"\1 = \2")),
            tuple(f"{kind['name'].upper()} = {kind['variant']}" for kind in lists.kinds),
            "core's kinds of errors",
        ),
        Place(
            STATUS,
            "name()",
            "text",
            matches(r'\bGPTIMAGE_STATUS_(\w+) => c"(\w+)"', r"\1 = \2"),
            tuple(f"{kind['name'].upper()} = {kind['name']}" for kind in lists.kinds),
            "core's kinds of errors",
            beside=["OK = ok", "INVALID_ARGUMENT = invalid_argument", "PENDING = pending"],
        ),
    ]


CGI = {"REQUEST_METHOD": "it is looked at to notice a CGI program"}


def mentions(file: str, lists: Lists, absent: Mapping[str, str] = CGI) -> Place:
    """Every environment variable is named; whether another one is, cannot be told from other words in capitals."""
    return Place(
        file,
        "the text",
        "environment variable",
        matches(r"\b((?!GPTIMAGE)[A-Z]+(?:_[A-Z]+)+)\b"),
        tuple(lists.data["variables"]),
        "core's variables",
        absent=absent,
        beside=None,
    )


# --- C++ --------------------------------------------------------------------------------------------------------------


def setters(cls: str, of: str) -> tuple[tuple[str, Reader], ...]:
    """Both overloads of a setter: for a variable, and for a temporary."""
    return (
        (f"{cls}, for variables,", block(rf"class {cls}\b", matches(rf"\b{of} &(\w+)\([^)]*\) &\s*\{{"))),
        (f"{cls}, for temporaries,", block(rf"class {cls}\b", matches(rf"\b{of} &&(\w+)\([^)]*\) &&\s*\{{"))),
    )


def cpp(lists: Lists) -> list[Place]:
    found = []
    both = [name for name, operations in lists.parameters.items() if {"generate", "edit"} <= set(operations)]
    own = {
        "GenerateRequest": [name for name in lists.of("generate") if name not in both],
        "EditRequest": [name for name in lists.of("edit") if name not in both],
    }
    beside: tuple[str, ...]
    for where, reader in setters("Request", "Self"):
        beside = ("set", "extra", "deadline", "overwrite", "structural_rules")
        found.append(Place(HPP, where, "setter", reader, tuple(both), "core's parameters", beside=beside))
        found.append(
            Place(
                HPP,
                f"{where} with std::int64_t,",
                "setter",
                block(r"class Request\b", matches(rf"\bSelf {'&&' if 'temporaries' in where else '&'}(\w+)\(std::int64_t \w+\)")),
                lists.integers("edit"),
                "core's parameters that are numbers",
            )
        )
    for cls, names in own.items():
        for where, reader in setters(cls, cls):
            beside = ("add_image", "add_image_bytes", "mask", "mask_bytes") if cls == "EditRequest" else ()
            found.append(Place(HPP, where, "setter", reader, tuple(names), "core's parameters", beside=beside))
    for where, reader in setters("Config", "Config"):
        options = spelled([name for name in lists.options if name not in NO_OPTIONS_OF_C], {"timers": "timer"})
        found.append(Place(HPP, where, "setter", reader, options, "core's options"))
    variants = [f"{kind['variant']}Error" for kind in lists.kinds]
    return [
        *found,
        Place(
            HPP,
            "the exceptions",
            "class",
            matches(r"^class (\w+) : public detail::ErrorOf<GPTIMAGE_STATUS_(\w+)>", r"\1 = \2"),
            tuple(f"{kind['variant']}Error = {kind['name'].upper()}" for kind in lists.kinds),
            "core's kinds of errors",
            beside=["InvalidArgumentError = INVALID_ARGUMENT"],
        ),
        Place(
            HPP,
            "raise_message()",
            "class",
            within(r"raise_as<(?=Inv)", ">", matches(r"\b(\w+)\b")),
            tuple(variants),
            "core's kinds of errors",
            beside=["InvalidArgumentError"],
        ),
        Place(
            HPP,
            "Charge",
            "value",
            block(r"enum class Charge\b", matches(r"\b(\w+),")),
            tuple(lists.data["charges"]),
            "core's Charge",
        ),
        Place(
            HPP,
            "Phase",
            "value",
            block(r"enum class Phase\b", matches(r"\b(\w+) = GPTIMAGE_PHASE_(\w+)", r"\1 = \2")),
            tuple(f"{name} = {name.upper()}" for name in lists.data["phases"]),
            "core's phases",
        ),
        Place(
            HPP,
            "Client::reconcile()",
            "timeout in seconds",
            matches(r"Duration timeout = std::chrono::seconds\((\w+)\)"),
            (f"{lists.data['timers']['usage_log']:g}",),
            "core's default of usage_log",
        ),
        Place(
            HPP,
            "Error",
            "method",
            block(r"class Error\b", matches(r"(?<!::)\b(\w+)\(\) const\b")),
            spelled([name for name in lists.type("Error", "methods") if name != "message"]),
            "core's methods of Error",
            absent=NO_GETTERS_OF_ERROR,
            beside=["what", "status", "client_request_id", "inference_id", "json"],
        ),
        *(
            Place(
                HPP,
                cls,
                "field",
                block(rf"struct {cls}\b", matches(r"\b(\w+);")),
                spelled(lists.type(of, what), other),
                f"core's {what} of {of}",
                absent=absent,
                beside=beside,
            )
            for cls, of, what, other, absent, beside in (
                ("Progress", "Progress", "fields", {"pause_seconds": "pause"}, {}, ()),
                ("Violation", "Violation", "facts", {}, {}, ()),
                ("BudgetStatus", "BudgetStatus", "fields", {}, {}, ()),
                ("Pending", "Pending", "fields", {}, {}, ()),
                (
                    "Reconciled",
                    "Reconciled",
                    "fields",
                    {"cost": "usd_spent"},
                    {"client_request_id": "the caller has it", "request_id": IN_JSON, "created": IN_JSON},
                    ("credits_used",),
                ),
            )
        ),
    ]


# --- Python -----------------------------------------------------------------------------------------------------------

OPTIONS_OF_PYTHON = {"abort_on_cancel": "on_cancel"}
NO_OPTIONS_OF_PYTHON = {"header": "headers= has them all", "no_proxy": "proxy=False"}


def python(lists: Lists) -> list[Place]:
    found = []
    terms = ["save_to", "deadline", "max_attempts", "fetch", "progress"]
    for cls in ("Client", "AsyncClient"):
        for operation in ("generate", "edit"):
            found.append(
                Place(
                    CLIENT,
                    f"{cls}.{operation}()",
                    "keyword",
                    keywords(f"{cls}.{operation}"),
                    (*lists.of(operation), *lists.type("Call", "methods")),
                    "core's parameters and methods of Call",
                    absent={
                        "cancel": "Ctrl-C, and tasks that are cancelled",
                        "dry_run": "not offered",
                        "send": "the method itself",
                    },
                    beside=[
                        *("prompt", "extra", "structural_rules", "overwrite"),
                        *(("image", "mask") if operation == "edit" else ()),
                    ],
                )
            )
            found.append(
                Place(
                    CLIENT,
                    f"{cls}.{operation}()",
                    "keyword of type int",
                    readers.annotated(f"{cls}.{operation}", "int | None"),
                    lists.integers(operation),
                    "core's parameters that are numbers",
                    beside=["max_attempts"],
                )
            )
    found.append(
        Place(
            CLIENT,
            "the docstring of Client.generate()",
            "keyword",
            readers.doc_words("Client.generate"),
            (*lists.of("generate"), *terms, "prompt", "extra", "structural_rules", "overwrite"),
            "its keywords",
            beside=None,
        )
    )
    found.append(
        Place(
            CLIENT,
            "the docstring of Client.edit()",
            "keyword",
            readers.doc_words("Client.edit"),
            ("image", "mask", "n", *(name for name in lists.of("edit") if name not in lists.of("generate"))),
            "its keywords",
            beside=None,
        )
    )
    options = spelled([name for name in lists.options if name not in NO_OPTIONS_OF_PYTHON], OPTIONS_OF_PYTHON)
    for file, where, noun, reader, beside in (
        (CLIENT, "_Base.__init__()", "keyword", keywords("_Base.__init__"), ["exit_wait"]),
        (CLIENT, "the options of _Base.__init__()", "key", keys("_Base.__init__"), ["exit_wait"]),
        (CLIENT, "the docstring of Client", "option", readers.doc_words("Client"), None),
        (TYPES, "ClientOptions", "key", fields("ClientOptions"), ["exit_wait"]),
        ("bindings/py/src/options.rs", "set()", "option", within(r"^fn set\(", r"^\}", OPTION_ARM), ["exit_wait"]),
    ):
        found.append(Place(file, where, noun, reader, options, "core's options", beside=beside))
    for cls in ("Client", "AsyncClient"):
        found.append(
            Place(
                CLIENT,
                cls,
                "method",
                methods("_Base", cls),
                tuple(lists.type("Client", "methods")),
                "core's methods of Client",
                absent={
                    "builder": "the class itself",
                    "call": "generate() and edit()",
                    "from_env": "the class itself",
                    "fetch_to": "fetch(save_to=)",
                    "collect_one": "collect() gives all",
                },
                beside=["images", "close", "with_options"],
            )
        )
    found += [
        Place(TYPES, "Timers", "key", fields("Timers"), tuple(lists.data["timers"]), "core's timers"),
        Place(WORDS, "Charge", "word", assigned("Charge"), tuple(lists.data["charges"]), "core's Charge"),
        Place(WORDS, "Phase", "word", assigned("Phase"), tuple(lists.data["phases"]), "core's phases"),
    ]
    for name, words in lists.data["values"].items():
        alias = name.title().replace("_", "")
        found.append(Place(WORDS, alias, "word", assigned(alias), tuple(words), f"core's values of {name}"))
    kinds = tuple(kind["name"] for kind in lists.kinds)
    found += [
        Place(EXCEPTIONS, "_CLASSES", "kind", assigned("_CLASSES"), kinds, "core's kinds of errors"),
        Place(
            EXCEPTIONS,
            "GptImageError",
            "attribute",
            fields("GptImageError"),
            spelled(
                [name for name in lists.type("Error", "facts") if name != "message"],
                {"retry_after_seconds": "retry_after"},
            ),
            "core's facts of Error",
            # JSON has no bytes.
            beside=["response_bytes"],
        ),
    ]
    for cls, what in RECORDS_OF_CORE.items():
        names = lists.type(cls, what, ("model", "core", "emulator"))
        found.append(Place(RECORDS, cls, "attribute", fields(cls), tuple(names), f"core's {what} of {cls}"))
    found += [
        Place(RECORDS, "Warning", "attribute", fields("Warning"), tuple(lists.type("Warning", "getters")), "core's getters of Warning"),
        Place(
            "python/gptimage/generated.py",
            "Generated",
            "attribute",
            fields("Generated"),
            tuple(lists.type("Generated", "facts")),
            "core's facts of Generated",
            beside=["response"],
        ),
    ]
    return [*found, *package(), *stub(lists), *emulator(lists)]


OPTION_ARM = matches(r'^ {8}"(\w+)" (?:if [^\n]*)?=>')
RECORDS_OF_CORE = {
    "Attempt": "fields",
    "Cost": "fields",
    "Violation": "facts",
    "Balance": "fields",
    "Progress": "fields",
    "BudgetStatus": "fields",
    "Pending": "fields",
    "Reconciled": "fields",
    "LedgerEntry": "fields",
    "RecordedRequest": "fields",
}


def package() -> list[Place]:
    """What the package offers: every exception, and in `__all__` whatever it imports."""
    exceptions = names_in(EXCEPTIONS, readers.classes())
    imports = names_in(INIT, readers.imported())
    return [
        Place(
            INIT,
            "the import",
            "class",
            readers.imported("gptimage.exceptions"),
            exceptions,
            "the classes of gptimage.exceptions",
            absent={"APIStatusError": ""} if "APIStatusError" not in exceptions else {},
        ),
        Place(INIT, "__all__", "name", assigned("__all__"), imports, "the names that it imports"),
        Place(
            PYTHON_PAGE,
            "the table of errors",
            "class",
            table("Errors", 0, r"`(\w+Error)`"),
            exceptions,
            "the classes of gptimage.exceptions",
            absent={"GptImageError": "the base of all", "APIStatusError": "the base of some"},
            beside=["ValueError", "OSError", "TimeoutError"],
        ),
    ]


def names_in(file: str, reader: Reader) -> tuple[str, ...]:
    """What one file has, where another one is held against it."""
    return tuple(name for name, _ in reader((ROOT / file).read_text("utf-8")))


def stub(lists: Lists) -> list[Place]:
    """`_core.pyi` against the compiled part's sources."""
    types: dict[str, dict[str, list[str]]] = lists.data["types"]["py"]
    exported = {name.rpartition("::")[2]: what["python"] for name, what in types.items() if "python" in what}
    functions = lists.data["functions"]["py"]
    found = [
        Place(
            STUB,
            "__all__",
            "name",
            assigned("__all__"),
            (*sorted(exported), *functions),
            "the names that bindings/py exports",
            beside=["VERSION"],
        ),
        Place(STUB, "the classes", "class", readers.classes(), tuple(exported), "the classes of bindings/py"),
        Place(STUB, "the functions", "function", matches(r"^def (\w+)"), tuple(functions), "the functions of bindings/py"),
    ]
    special = {"new": "__new__", "__getbuffer__": "__buffer__"}
    for cls, names in exported.items():
        image = cls == "Image"
        found.append(
            Place(
                STUB,
                cls,
                "method",
                methods(cls, private=True),
                spelled(names, special),
                f"the methods of {cls} in bindings/py",
                absent={"__repr__": "every object has it"} if "__repr__" in names else {},
                # Put on by _image.py.
                beside=["to_pil", "to_numpy", "__array__", "_repr_mimebundle_"] if image else (),
            )
        )
    return found


def emulator(lists: Lists) -> list[Place]:
    builder = lists.type("EmulatorBuilder", "methods", ("emulator",))
    settings = tuple(lists.type("Settings", "fields", ("emulator",)))
    starts = {"set": "the settings are keywords", "start": "the class itself", "spawn": "the class itself"}
    return [
        Place(
            EMULATOR,
            "Emulator()",
            "keyword",
            keywords("Emulator.__init__"),
            spelled(builder, {"balance_usd": "balance"}),
            "the emulator's settings",
            absent=starts,
        ),
        Place(EMULATOR, "Emulator.set()", "keyword", keywords("Emulator.set"), settings, "the emulator's settings"),
        Place(EMULATOR, "_settings()", "key", keys("_settings"), settings, "the emulator's settings", beside=None),
        Place(
            EMULATOR,
            "Emulator",
            "method",
            methods("Emulator"),
            spelled(lists.type("Emulator", "methods", ("emulator",)), {"base_url": "url"}),
            "the emulator's methods",
            absent={
                "builder": "the class itself",
                "cdn_fault": "fault(cdn=)",
                "fault_json": "fault()",
                "stop_blocking": "stop()",
                "wait_idle": "what is read waits by itself",
                "wait_idle_blocking": "what is read waits by itself",
            },
            beside=["client", "async_client"],
        ),
        Place(
            EMULATOR_PAGE,
            "the table of settings",
            "setting",
            table("Settings", 1, r'`\{"(\w+)"'),
            settings,
            "the emulator's settings",
        ),
        Place(
            EMULATOR_PAGE,
            "the table of settings",
            "flag",
            table("Settings", 0, r"`--([\w-]+)"),
            tuple(lists.data["flags"]["emulator"]),
            "the flags of gptimage emulator",
            absent={"json": "said under “In a script or in CI”"},
        ),
    ]


# --- What is compiled: the emulator's judgement, and the command ------------------------------------------------------


def lines(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in names)


LINE = matches(r"^(.+)$")


def compiled(lists: Lists) -> list[Place]:
    """The parameters that the emulator refuses when their values cannot be."""
    return [
        Place(
            "crates/emulator/src/api",
            f"the judgement of {operation}",
            "parameter",
            LINE,
            tuple(lists.of(operation)),
            "core's parameters",
            beside=["image"] if operation == "edit" else (),
            text=lines(lists.data["refused_by_emulator"][operation]),
        )
        for operation in ("generate", "edit")
    ]


def command(lists: Lists) -> list[Place]:
    found = []
    for operation in ("generate", "edit"):
        found.append(
            Place(
                "crates/cli/src/request_args.rs",
                f"gptimage {operation}",
                "flag",
                LINE,
                spelled([*lists.of(operation), *lists.options], {"budget": "max-usd"}, "{}"),
                "core's parameters and options",
                absent={
                    "api_key": "everybody on a machine sees what others type",
                    "timers": "not offered",
                    **dict.fromkeys(("header", "headers"), "not offered"),
                    "no_proxy": "an empty HTTPS_PROXY",
                    "fetch": "a command that leaves the picture where it is has made nothing",
                    "retry_server_errors": "not offered",
                    "abort_on_cancel": "a second signal",
                    "salvage_folder": "the command waits for what may be paid",
                    "salvage_max_bytes": "the command waits for what may be paid",
                    "max_image_bytes": "not offered",
                },
                beside=[
                    *("dry_run", "emulator", "extra", "json", "max_usd_per_call", "output", "overwrite"),
                    *(("image", "mask") if operation == "edit" else ()),
                    "structural_rules",
                ],
                text=lines(
                    flag if flag == "max-usd" else flag.replace("-", "_") for flag in lists.data["flags"][operation]
                ),
            )
        )
    builder = lists.type("EmulatorBuilder", "methods", ("emulator",))
    found.append(
        Place(
            "crates/cli/src/emulator.rs",
            "gptimage emulator",
            "flag",
            LINE,
            spelled(builder, {"balance_usd": "balance", "price_headers": "no_price_headers"}),
            "the emulator's settings",
            absent={
                "canned": "for benchmarks",
                "keep_bodies": "not offered",
                **dict.fromkeys(("set", "spawn", "start"), "the command itself"),
            },
            beside=["json"],
            text=lines(flag.replace("-", "_") for flag in lists.data["flags"]["emulator"]),
        )
    )
    return found


# --- Documentation ----------------------------------------------------------------------------------------------------


def charged() -> tuple[str, ...]:
    """What each kind of error says of money, in a word. Of several charges the ordinary one is the first."""
    kinds = tomllib.loads((ROOT / "tests/cases/errors.toml").read_text("utf-8"))["kind"]
    words = {"not_charged": "no", "unknown": "unknown", "charged": "yes"}
    # A refusal costs nothing unless it states a price, as explained below the table.
    refusals = range(20, 30)
    anything = [kind["slug"] for kind in kinds if set(kind["charge"]) == set(words) and kind["number"] not in refusals]
    return tuple(
        f"{kind['slug']}: {'see' if kind['slug'] in anything else words[kind['charge'][0]]}" for kind in kinds
    )


def documentation(lists: Lists) -> list[Place]:
    options = spelled([name for name in lists.options if name not in NO_OPTIONS_OF_PYTHON], OPTIONS_OF_PYTHON)
    page = "the table of"
    return [
        Place(
            "README.md",
            "the table of errors",
            "row",
            table("What can go wrong", -1, r"^\| `(\w+)`[^|]*\| (\d+) \| (\d+)[^|]*\|", r"\1, \2, exit \3"),
            tuple(f"{kind['name']}, {kind['number']}, exit {kind['exit_code']}" for kind in lists.kinds),
            "core's kinds of errors",
        ),
        Place(
            "docs/charges.md",
            "the decision table",
            "kind",
            table("The decision table", 2, r"`(\w+)`"),
            tuple(kind["name"] for kind in lists.kinds),
            "core's kinds of errors",
            absent=dict.fromkeys(("invalid_request", "config", "budget_exceeded", "internal"), "no attempt ends so"),
        ),
        Place(
            "README.md",
            "the table of errors, charged?,",
            "row",
            table("What can go wrong", -1, r"^\| `(\w+)`[^|]*\|[^|]*\|[^|]*\| (no|yes|unknown|see)\b", r"\1: \2"),
            charged(),
            "the charges of tests/cases/errors.toml",
        ),
        mentions("README.md", lists),
        Place(
            PYTHON_PAGE,
            f"{page} options",
            "option",
            table("Options", 0, r"`(\w+)`"),
            options,
            "core's options",
            beside=["exit_wait"],
        ),
        Place(
            PYTHON_PAGE,
            f"{page} methods",
            "method",
            table("Methods", 0, r"`(\w+)\("),
            names_in(CLIENT, methods("_Base", "Client")),
            "the methods of Client",
            absent={"images": "under “Coming from openai-python”", "base_url": "its repr says it"},
        ),
        Place(
            PYTHON_PAGE,
            f"{page} parameters",
            "parameter",
            table("Parameters", 0, r"`(\w+)`"),
            tuple(lists.parameters),
            "core's parameters",
            beside=["prompt", "extra"],
        ),
        Place(
            PYTHON_PAGE,
            f"{page} parameters",
            "default",
            table("Parameters", -1, r"^\| `(\w+)` \|.*?`?\"?([\w/.-]+)\"?`? \|$", r"\1 = \2"),
            tuple(f"{name} = {value}" for name, value in lists.data["defaults"].items()),
            "core's defaults of the server",
            # The client's own default, not the server's.
            beside=["model = openai/gpt-image-2"],
        ),
        Place(
            PYTHON_PAGE,
            f"{page} timers",
            "row",
            table("Timers", -1, r"^\| `(\w+)` \| ([\d.]+) \|", r"\1 = \2"),
            tuple(f"{name} = {seconds:g}" for name, seconds in lists.data["timers"].items()),
            "core's timers",
        ),
        Place(
            PYTHON_PAGE,
            f"{page} warnings",
            "kind",
            table("Warnings", 0, r"`(\w+)`"),
            tuple(lists.data["warnings"]),
            "core's kinds of warnings",
        ),
        Place(
            PYTHON_PAGE,
            f"{page} rules",
            "rule",
            table("Rules", 0, r"`(\w+)`"),
            tuple(lists.data["rules"]),
            "core's rules",
        ),
        mentions(PYTHON_PAGE, lists),
        Place(
            PYTHON_PAGE,
            "the text",
            "member of Image",
            matches(r"\b(\w+)\b"),
            names_in(STUB, methods("Image")),
            "the public members of Image",
            absent={name: "client.fetch() takes the URL itself; a file is a picture already" for name in ("from_bytes", "from_file", "from_url")},
            beside=None,
        ),
    ]


# --- Numbers in sentences ---------------------------------------------------------------------------------------------

# Between two words, a line may end and a comment continue on the next.
GAP = r"[\s*/]+"
LIMITS = {
    "characters of a prompt": rf"\b(\w*\d[\d,]*){GAP}characters\b",
    "images of an edit": rf"\b(?:1|up){GAP}to{GAP}(\w*\d)(?= images|,? in all| times|, each)",
    "MB of an image": rf"\bat most (\w*\d){GAP}MB\b",
    "MB of a mask": rf"\bunder (\w*\d){GAP}MB\b",
    "n of an edit": rf"\b1{GAP}to{GAP}(\w*\d)(?=\.| for `?edit)",
    "percent of a quality": rf"\b0{GAP}to{GAP}(\w*\d)\b",
}
REQUEST = "crates/model/src/request"
LIMITS_IN = {
    H: tuple(LIMITS),
    HPP: tuple(LIMITS),
    CLIENT: tuple(LIMITS),
    PYTHON_PAGE: ("characters of a prompt", "images of an edit", "MB of an image", "n of an edit", "percent of a quality"),
    "crates/cli/src/request_args.rs": ("images of an edit", "MB of an image", "MB of a mask"),
    f"{REQUEST}/parameters.rs": ("n of an edit", "percent of a quality"),
    f"{REQUEST}/generate.rs": ("characters of a prompt",),
    f"{REQUEST}/edit.rs": ("characters of a prompt", "images of an edit", "MB of a mask"),
    f"{REQUEST}/builder.rs": ("characters of a prompt", "images of an edit"),
}
DEFAULTS = {
    H: r'Server default:[\s*/]+"?(\w+)"?\.[\s*/]+gptimage_status_t gptimage_\w+_request_set_(\w+)\(',
    HPP: r'Server default:[\s*/]+"?(\w+)"?\.[\s*/]+\w+ &(\w+)\(',
    f"{REQUEST}/parameters.rs": r"(?:`(?=\w+` \(the server's default)|The server's default is )(\w+).*\n(?: +///.*\n)* +(\w+):",
}


def numbers(lists: Lists) -> list[Place]:
    """The limits and defaults of the model that sentences state."""
    limits: dict[str, int] = lists.data["limits"]
    defaults: dict[str, str] = lists.data["defaults"]
    found = [
        Place(file, f"the text on {limit}", "number", matches(LIMITS[limit]), (f"{limits[limit]:,}",), "core's limits")
        for file, named in LIMITS_IN.items()
        for limit in named
    ]
    for file, pattern in DEFAULTS.items():
        stated = tuple(f"{value} for {name}" for name, value in defaults.items())
        found.append(Place(file, "the text", "default", matches(pattern, r"\1 for \2"), stated, "core's defaults of the server"))
    quoted = matches(r'"(\w+)"')
    for name, values in lists.data["values"].items():
        places_of = [
            (H, readers.before(f"gptimage_status_t gptimage_{of}_request_set_{name}(", quoted), f"gptimage_{of}_request_set_{name}()")
            for of in lists.parameters[name]
        ]
        places_of += [
            (HPP, readers.before(f" &{name}(std::string_view", quoted), f"{name}()"),
            (PYTHON_PAGE, within(rf"^\| `{name}` \|", "$", quoted), f"the row {name}"),
            (f"{REQUEST}/parameters.rs", readers.above(rf"{name}: \w+,", matches(r"`(\w+)`")), name),
        ]
        found += [
            # A sentence in Rust also contains words for other parameters.
            Place(file, f"the text on {where}", "word", reader, tuple(values), f"core's values of {name}", beside=None if file.endswith(".rs") else ())
            for file, reader, where in places_of
        ]
    words = tuple(dict.fromkeys(value for value in defaults.values() if not value.isdigit()))
    marked = matches(r'`"(\w+)"`\s+\(server\s+default\)')
    found.append(Place(CLIENT, "the docstring of Client.generate()", "default", marked, words, "core's defaults of the server"))
    return found


# --- Cases ------------------------------------------------------------------------------------------------------------


def cases(lists: Lists) -> list[Place]:
    """The shared cases: each parameter is in one, and each kind of error in the table."""
    return [
        Place(
            "tests/cases/requests.toml",
            "the requests",
            "parameter",
            matches(r"\b(\w+) = "),
            tuple(lists.parameters),
            "core's parameters",
            beside=None,
        ),
        Place(
            "crates/emulator/tests/rules.rs",
            "TEXTS",
            "parameter",
            matches(r'^    \("(\w+)", &\['),
            tuple(lists.parameters),
            "core's parameters",
            absent={"model": "the model decides whose rules apply"},
        ),
        Place(
            "tests/cases/errors.toml",
            "the table",
            "row",
            matches(r'^slug = "(\w+)"\nnumber = (\d+)\nexit_code = (\d+)$', r"\1, \2, exit \3"),
            tuple(f"{kind['name']}, {kind['number']}, exit {kind['exit_code']}" for kind in lists.kinds),
            "core's kinds of errors",
        ),
    ]
