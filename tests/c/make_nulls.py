"""Writes a C program that passes NULL for each pointer of each function of gptimage.h, singly and all at once.

    python3 tests/c/make_nulls.py > nulls.c

Only the places where NULL is allowed, and its meaning there, are listed by hand. A new function or type in the header
is either covered by the program, or this script fails.
"""

from __future__ import annotations

import re
import sys

import header
from header import Parameter, Prototype

# Parameters for which the header allows NULL: by name in any function, or by name in one function.
ALLOWED = {"cancel", "callback", "user_data", "error_out"}
ALLOWED_IN = {
    ("gptimage_client_new", "config"),
    ("gptimage_client_reconcile", "period"),
    ("gptimage_budget_new", "max_usd_per_call"),
}

# Results of functions without a status when they are given NULL; the others return NULL or 0.
SAYS = {
    "gptimage_error_status": "CHECK_NUMBER({call}, GPTIMAGE_STATUS_OK)",
    "gptimage_error_kind": 'CHECK_TEXT({call}, "ok")',
    "gptimage_error_message": 'CHECK_TEXT({call}, "")',
    "gptimage_error_charge": 'CHECK_TEXT({call}, "not_charged")',
    "gptimage_error_retry_after_ms": "CHECK_NUMBER({call}, -1)",
    "gptimage_error_json": 'CHECK_TEXT({call}, "{{}}")',
    "gptimage_generated_json": 'CHECK_TEXT({call}, "{{}}")',
    "gptimage_job_phase": "CHECK_NUMBER({call}, GPTIMAGE_PHASE_PLANNED)",
    "gptimage_pending_phase": "CHECK_NUMBER({call}, GPTIMAGE_PHASE_PLANNED)",
    "gptimage_reconciled_charge": 'CHECK_TEXT({call}, "unknown")',
    "gptimage_reconciled_message": 'CHECK_TEXT({call}, "")',
    "gptimage_reconciled_json": 'CHECK_TEXT({call}, "{{}}")',
}

# Handles that a program has, by their type; each call may use them up.
HANDLES = {
    "gptimage_budget_t": "budget",
    "gptimage_cancel_token_t": "token",
    "gptimage_client_t": "client",
    "gptimage_config_t": "config",
    "gptimage_edit_request_t": "edit_request",
    "gptimage_error_t": "error",
    "gptimage_generate_request_t": "generate_request",
    "gptimage_generated_t": "generated",
    "gptimage_job_t": "job",
    "gptimage_pending_t": "pending",
    "gptimage_reconciled_t": "reconciled",
}

# Arguments that make a call succeed, where their type alone is not enough.
TEXTS = {
    "file": "file",
    "folder": "folder",
    "client_request_id": '"a call"',
    "max_usd": '"5.00"',
    "max_usd_per_call": '"0.50"',
    "period": '"24h"',
    "json": '"{}"',
    "key": '"sk-test"',
    "to": "target",
    "url": 'getenv("AIMLAPI_BASE_URL")',
    "prompt": '"A hat"',
    "model": '"openai/gpt-image-2"',
    "size": '"1024x1024"',
    "quality": '"low"',
    "output_format": '"webp"',
    "background": '"auto"',
    "response_format": '"b64_json"',
    "moderation": '"auto"',
    "name": '"quality"',
    "value": '"low"',
}
TEXTS_IN = {
    ("gptimage_config_set_proxy", "url"): '""',
    ("gptimage_config_set_timer_ms", "name"): '"connect"',
    ("gptimage_config_add_header", "name"): '"X-Order"',
}
NUMBERS = {
    "size_t": "0",
    "int": "1",
    "int64_t": "1",
    "uint32_t": "1",
    "uint64_t": "60000",
    "gptimage_status_t": "0",
    "gptimage_log_level_t": "GPTIMAGE_LOG_LEVEL_ERROR",
}
NUMBERS_IN = {("len", "size_t"): "picture_len", ("timeout_ms", "uint64_t"): "0"}

# Functions that cost something; collecting and fetching do not.
PAID = re.compile(r"gptimage_client_(start_)?(generate|edit)(_to)?")

HEAD = """/* Written by make_nulls.py. NULL for each pointer of each function. */
#include "nulls.h"
"""


def main() -> int:
    prototypes = header.prototypes()
    print(HEAD)
    for prototype in prototypes:
        print("\n".join(function(prototype)))
        print()
    print("int main(void) {")
    print("  prepare();")
    print("  handles_t own = handles();")
    for prototype in prototypes:
        print(f"  of_{prototype.name}(&own);")
    # Every other call is refused before anything is sent. Two more calls are made for the handles.
    paid = [prototype for prototype in prototypes if PAID.fullmatch(prototype.name)]
    allowing = sum(allowed(prototype, parameter) for prototype in paid for parameter in prototype.parameters)
    print(f"  CHECK_NUMBER(host_charges(), {allowing} + 2);")
    print("  let_go(&own);")
    print(f'  printf("{len(prototypes)} functions\\n");')
    print("  return 0;\n}")
    return 0


def pointed(type: str) -> str:
    """The name of what a pointer points to."""
    return type.replace("const ", "").replace(" *", "")


def is_output(parameter: Parameter) -> bool:
    return parameter.type.endswith("* *")


def handle(parameter: Parameter) -> str | None:
    """The handle that a program has for this parameter."""
    if is_output(parameter) or not parameter.type.endswith("*"):
        return None
    return HANDLES.get(pointed(parameter.type))


def value(prototype: Prototype, parameter: Parameter) -> str:
    """What a call that succeeds has here."""
    place = (prototype.name, parameter.name)
    if own := handle(parameter):
        return f"own->{own}"
    if is_output(parameter):
        return f"&{parameter.name}"
    match parameter.type:
        case "const char *":
            # The text of a parameter is validated only when the request is sent.
            setter = re.fullmatch(r"gptimage_\w+_request_set_\w+", prototype.name)
            return TEXTS_IN.get(place) or TEXTS.get(parameter.name) or ('"a text"' if setter else TEXTS[parameter.name])
        case "const uint8_t *":
            return "picture"
        case "gptimage_budget_status_t *":
            return "&budget_status"
        case "void *":
            return "untouched"
        case "gptimage_job_callback_t" | "gptimage_progress_callback_t" | "gptimage_log_callback_t":
            return parameter.type.replace("gptimage_", "on_").replace("_callback_t", "")
    return NUMBERS_IN.get((parameter.name, parameter.type)) or NUMBERS[parameter.type]


def allowed(prototype: Prototype, parameter: Parameter) -> bool:
    return parameter.name in ALLOWED or (prototype.name, parameter.name) in ALLOWED_IN


def function(prototype: Prototype) -> list[str]:
    """The test of one function."""
    pointers = [parameter for parameter in prototype.parameters if parameter.is_pointer]
    lines = [f"static void of_{prototype.name}(handles_t *own) {{", "  (void)own;"]
    for nulls in [*([pointer] for pointer in pointers), pointers]:
        if nulls:
            lines += ["  " + line for line in block(prototype, nulls)]
    if not pointers:
        lines.append(f"  {without_pointers(prototype)}")
    lines.append("}")
    return lines


def without_pointers(prototype: Prototype) -> str:
    """A function that has nothing to be NULL still gives something."""
    arguments = ", ".join(value(prototype, parameter) for parameter in prototype.parameters)
    call = f"{prototype.name}({arguments})"
    if prototype.result.endswith("_t *"):
        kind = pointed(prototype.result).removesuffix("_t")
        return f"{kind}_free({call});"
    return f"CHECK({call} != NULL);"


def block(prototype: Prototype, nulls: list[Parameter]) -> list[str]:
    """One call."""
    outputs = [parameter for parameter in prototype.parameters if is_output(parameter)]
    arguments = ["NULL" if parameter in nulls else value(prototype, parameter) for parameter in prototype.parameters]
    call = f"{prototype.name}({', '.join(arguments)})"
    if prototype.result != "gptimage_status_t" or prototype.name == "gptimage_error_status":
        return [says(prototype, call)]
    lines = [f"{pointed(out.type)} *{out.name} = UNTOUCHED({pointed(out.type)});" for out in outputs]
    refused = [parameter for parameter in nulls if not allowed(prototype, parameter)]
    error = "NULL" if any(null.name == "error_out" for null in nulls) else "error_out"
    text = f'"{prototype.name}, NULL: {", ".join(null.name for null in nulls)}"'
    if refused:
        lines.append(f"gptimage_status_t status = {call};")
        if error == "NULL":
            lines.append(f'check_status("nulls.c", __LINE__, {text}, status, GPTIMAGE_STATUS_INVALID_ARGUMENT, NULL);')
        else:
            lines.append(f'refused(__LINE__, {text}, status, error_out, "{refused[0].name}");')
        kept = [out for out in outputs if out.name != "error_out" or error == "NULL"]
        lines += [f"CHECK({out.name} == UNTOUCHED({pointed(out.type)}));" for out in kept]
        return ["{", *("  " + line for line in lines), "}"]
    # NULL is allowed: the call succeeds, and its result is freed.
    lines.append("remove_target();")
    lines.append(f"gptimage_status_t status = {call};")
    shown = "NULL" if error == "NULL" else "status == 0 ? NULL : error_out"
    lines.append(f'check_status("nulls.c", __LINE__, {text}, status, GPTIMAGE_STATUS_OK, {shown});')
    # Outputs are written on success only, and error_out on failure only.
    if any(out.name == "error_out" for out in outputs):
        lines.append("CHECK(error_out == UNTOUCHED(gptimage_error_t));")
    for out in outputs:
        if out.name != "error_out":
            lines.append(f"CHECK({out.name} != UNTOUCHED({pointed(out.type)}));")
            if out.type == "gptimage_job_t * *":
                lines.append(f"await_end({out.name});")
            lines.append(f"{pointed(out.type).removesuffix('_t')}_free({out.name});")
    return ["{", *("  " + line for line in lines), "}"]


def says(prototype: Prototype, call: str) -> str:
    """What becomes of NULL where there is no status."""
    if prototype.name in SAYS:
        return SAYS[prototype.name].format(call=call) + ";"
    if prototype.result == "void":
        return f"{call};"
    if prototype.result == "gptimage_bytes_t":
        return f"CHECK({call}.data == NULL && {call}.len == 0);"
    if prototype.result == "gptimage_violation_t":
        fields = ("param", "rule", "given", "message")
        return "CHECK(" + " && ".join(f"{call}.{field} == NULL" for field in fields) + ");"
    if prototype.result.endswith("*"):
        return f"CHECK({call} == NULL);"
    assert re.fullmatch(r"size_t|int|u?int\d+_t", prototype.result), f"{prototype.name}: what does it say of NULL?"
    return f"CHECK_NUMBER({call}, 0);"


if __name__ == "__main__":
    sys.exit(main())
