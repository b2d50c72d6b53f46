"""Every outcome says what it cost. Here is what each of the three answers means for a program.

Try it with a deadline (`python what_did_it_cost.py 5`), or press Ctrl-C.
"""

import sys

from gptimage import Client, GptImageError


def main() -> None:
    client = Client()
    print("before:", client.balance().current_balance)
    deadline = float(sys.argv[1]) if len(sys.argv) > 1 else 300
    try:
        generated = client.generate("A lighthouse in a storm", deadline=deadline)
        print("paid", generated.cost, "for", generated.images)
    except GptImageError as error:
        match error.charge:
            case "not_charged":
                print("nothing was spent, it may be tried again:", error)
            case "charged":
                # A charge may come with pictures, or with the links to them.
                print("paid, and this is what there is:", error.generated, error)
            case "unknown":
                ids = [attempt.client_request_id for attempt in error.attempts]
                print("look up", ids, "before trying again:", error)
    except KeyboardInterrupt as stopped:
        print("stopped:", *getattr(stopped, "__notes__", ()))

    # What runs on after a deadline or Ctrl-C is not lost either.
    client.drain()
    for late in client.collect():
        print("collected later:", late)
    print("after:", client.balance().current_balance)


if __name__ == "__main__":
    main()
