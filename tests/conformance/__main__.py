"""Writes docs/catalogue.md."""

from tests.conformance.catalogue import PAGE, outcomes, page

if __name__ == "__main__":
    found = outcomes()
    PAGE.write_text(page(found))
    for name, outcome in sorted(found.items()):
        for line in (*outcome.wrong, *([outcome.refused] if outcome.refused else [])):
            print(f"{name}: {line}")
        if not outcome.verdicts and not outcome.reason:
            print(f"{name}: neither a case nor a reason")
