"""Looks at pages and workbooks as people see them.

Each page in Chromium, at 320 and at 700 pixels, light and dark: nothing leaves the screen sideways, and axe-core finds nothing
that cannot be read. Each workbook in LibreOffice: it opens, keeps its charts, and its cells are numbers, dates and shares.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

# Wide and narrow; the narrowest screen that is read on is 320 pixels wide.
VIEWS = [(width, scheme) for width in (320, 700) for scheme in ("light", "dark")]
# What leaves the screen: its elements, widest first.
SIDEWAYS = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const out = [...document.querySelectorAll('body *')].map(e => [e.getBoundingClientRect().right, e.tagName, e.textContent.trim().slice(0, 40)]);
  return out.filter(([right]) => right > room + 0.5).sort((a, b) => b[0] - a[0]).slice(0, 3).map(String);
}"""


def look_at_pages(folder, chromium):
    """Pictures of each page; what is wrong with them."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    wrong, pages = [], sorted(folder.glob("*.html"))
    # A mail is shown within a page of somebody else's, which has the landmarks.
    within = {"rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        for page in pages:
            tab.goto(page.as_uri())
            for width, scheme in VIEWS:
                where = f"{page.name} at {width}, {scheme}"
                tab.set_viewport_size({"width": width, "height": 700})
                tab.emulate_media(color_scheme=scheme)
                wrong += [f"{where}: leaves the screen: {found}" for found in tab.evaluate(SIDEWAYS)]
                if width == 320:
                    mail = page.name.startswith(("letter", "plea", "digest"))
                    for fault in Axe().run(tab, options=within if mail else {}).response["violations"]:
                        nodes = "; ".join(node["html"][:160] for node in fault["nodes"][:3])
                        wrong.append(f"{where}: {fault['id']}: {fault['help']}: {nodes}")
                tab.screenshot(path=folder / f"{page.stem}.{width}.{scheme}.png", full_page=True)
        browser.close()
    print(f"{len(pages)} pages, {len(pages) * len(VIEWS)} pictures")
    return wrong


def members(book, pattern):
    with zipfile.ZipFile(book) as opened:
        return [name for name in opened.namelist() if re.fullmatch(pattern, name)]


def look_at_books(folder, office):
    """Each workbook as PDF and as OpenDocument; what is wrong with them."""
    wrong, books = [], sorted(folder.glob("*.xlsx"))
    if not books:
        return wrong
    profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
    for form in ("pdf", "ods"):
        words = [office, profile, "--headless", "--convert-to", form, "--outdir", str(folder), *map(str, books)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=100)
        if done.returncode != 0 or "Error" in done.stdout + done.stderr:
            wrong.append(f"LibreOffice: {done.stdout}{done.stderr}")
    shutil.rmtree(folder / "office", ignore_errors=True)
    for book in books:
        pdf, ods = book.with_suffix(".pdf"), book.with_suffix(".ods")
        if not (pdf.exists() and pdf.stat().st_size > 2000 and ods.exists()):
            wrong.append(f"{book.name}: LibreOffice does not open it")
            continue
        drawn, kept = members(book, r"xl/charts/chart\d+\.xml"), members(ods, r"Object \d+/content\.xml")
        with zipfile.ZipFile(ods) as opened:
            cells = opened.read("content.xml").decode()
            charts = [opened.read(name).decode() for name in kept]
        if len(drawn) != len(kept) or any("chart:series" not in chart for chart in charts):
            wrong.append(f"{book.name}: of {len(drawn)} charts {len(kept)} are kept")
        types = {kind: cells.count(f'office:value-type="{kind}"') for kind in ("float", "percentage", "date", "string")}
        missing = [kind for kind in ("float", "date", "string") if types[kind] == 0]
        if "table:formula" in cells:
            wrong.append(f"{book.name}: words have become a formula")
        if missing or "Err:" in cells or "#VALUE!" in cells:
            wrong.append(f"{book.name}: no cells that are {missing}, or broken ones: {types}")
        print(f"{book.name}: {len(drawn)} charts, cells {types}")
    return wrong


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    wrong = []
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    office = shutil.which("soffice")
    if chromium:
        wrong += look_at_pages(folder, chromium)
    else:
        print("there is no Chromium: nobody has looked at the pages")
    if office:
        wrong += look_at_books(folder, office)
    else:
        print("there is no LibreOffice: nobody has opened the workbooks")
    print("\n".join(wrong) or f"all is well; to be looked at in {folder}")
    sys.exit(1 if wrong else 0)


main()
