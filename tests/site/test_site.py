"""The built site: links lead somewhere, and a browser finds its way without the network.

Build the site first (``make docs``). Without it, these tests are skipped, and those with a
browser also without playwright or a Chromium on the path.
"""

import os
import shutil
import threading
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
SITE = Path(os.environ.get("SKDEEP_SITE", ROOT / "docs" / "_build" / "html"))
if not (SITE / "search.html").is_file():
    pytest.skip(f"no site at {SITE}: run make docs", allow_module_level=True)

# Copies of the theme's own templates, which Sphinx does not fill in.
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.relative_to(SITE).parts
)
ONE_OF_EACH_KIND = (
    "index.html",
    "install.html",
    "user_guide.html",
    "how_to/intervals.html",
    "auto_examples/index.html",
    "auto_examples/tables/prediction_intervals.html",
    "api.html",
    "api/skdeep.DeepClassifier.html",
    "benchmarks.html",
    "search.html",
)


class Page(HTMLParser):
    """Where a page links to, what it loads, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.resources, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        elif tag == "link" and attrs.get("rel") in ("stylesheet", "icon", "preload"):
            self.resources.append(attrs["href"])
        elif tag in ("img", "script", "iframe", "source", "video") and "src" in attrs:
            self.resources.append(attrs["src"])
        if "srcset" in attrs:
            self.resources += [part.split()[0] for part in attrs["srcset"].split(",")]


@cache
def page(name):
    return Page(SITE / name)


def is_elsewhere(address):
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def target(name, address):
    """File within the site that an address on a page means."""
    path = unquote(urlsplit(address).path)
    return (SITE / name).parent.joinpath(path).resolve() if path else SITE.resolve() / name


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_a_page_names_is_missing(name):
    broken = []
    for address in [*page(name).links, *page(name).resources]:
        if is_elsewhere(address):
            continue
        file, anchor = target(name, address), urldefrag(address).fragment
        if not file.is_file():
            broken.append(address)
        elif anchor and file.suffix == ".html":
            other = file.relative_to(SITE.resolve()).as_posix()
            if unquote(anchor) not in page(other).anchors:
                broken.append(address)
    assert not broken


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_from_elsewhere(name):
    assert [each for each in page(name).resources if is_elsewhere(each)] == []


def test_every_example_is_shown_with_a_picture_and_its_output():
    scripts = sorted((ROOT / "examples").rglob("*.py"))
    assert len(scripts) > 15
    for script in scripts:
        name = script.relative_to(ROOT / "examples").with_suffix(".html").as_posix()
        text = (SITE / "auto_examples" / name).read_text(encoding="utf-8")
        assert "sphx-glr-single-img" in text or "sphx-glr-multi-img" in text, name
        assert "sphx-glr-script-out" in text, name
        assert "Traceback" not in text, name


def test_public_names_have_a_page_and_internals_are_not_among_them():
    import skdeep

    listed = {
        Path(link.partition("#")[0]).stem
        for link in page("api.html").links
        if link.startswith("api/")
    }
    assert {f"skdeep.{name}" for name in skdeep.__all__} <= listed
    assert not any("Binary" in name or "Multinomial" in name for name in listed)


@pytest.fixture(scope="module")
def address():
    """Address of the site, served from a thread."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on the path")
    with sync_api.sync_playwright() as playwright:
        # A container has no user namespaces, which the sandbox needs.
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Visitor:
    """A browser's page that notes what goes wrong."""

    def __init__(self, browser, address, theme="light"):
        self.address, self.complaints = address, []
        context = browser.new_context(color_scheme=theme)
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("request", self._check)
        self.page.on("response", lambda r: r.ok or r.status == 304 or self._note(r.url))
        self.page.on("requestfailed", lambda r: self._note(r.url))
        self.page.on("pageerror", lambda error: self._note(str(error)))

    def _check(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self._note(request.url)

    def _note(self, text):
        self.complaints.append(text)

    def open(self, name):
        self.page.goto(f"{self.address}/{name}", wait_until="load")

    def broken_images(self):
        return self.page.evaluate(
            """async () => {
                const images = [...document.images];
                images.forEach(image => { image.loading = "eager"; });
                await Promise.allSettled(images.map(image => image.decode()));
                return images.filter(image => !image.naturalWidth).map(image => image.src);
            }"""
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_complete_without_the_network(browser, address, theme):
    visitor = Visitor(browser, address, theme)
    for name in ONE_OF_EACH_KIND:
        visitor.open(name)
        assert visitor.page.locator("html").get_attribute("data-theme") == theme, name
        assert visitor.page.locator("h1").first.inner_text(), name
        assert visitor.broken_images() == [], name
    assert visitor.complaints == []


def test_the_landing_page_leads_on(browser, address):
    visitor = Visitor(browser, address)
    visitor.open("index.html")
    assert "TabularClassifier" in visitor.page.locator(".highlight").first.inner_text()
    visitor.page.locator(".sd-card", has_text="Examples").click()
    visitor.page.locator(".sphx-glr-thumbcontainer", has_text="intervals").first.click()
    visitor.page.wait_for_url("**/prediction_intervals.html")
    assert visitor.complaints == []


def test_formulas_are_typeset(browser, address):
    visitor = Visitor(browser, address)
    visitor.open("user_guide.html")
    visitor.page.wait_for_selector("mjx-container svg, mjx-container mjx-math")
    assert visitor.page.locator("mjx-merror").count() == 0
    assert visitor.complaints == []


def test_the_search_box_finds_a_class(browser, address):
    visitor = Visitor(browser, address)
    visitor.open("index.html")
    visitor.page.locator("button.search-button__button:visible").first.click()
    box = visitor.page.locator("input[name=q]:visible").first
    box.fill("TabularClassifier")
    box.press("Enter")
    results = visitor.page.locator("#search-results ul.search li a")
    results.first.wait_for()
    found = results.evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert any("api/skdeep.TabularClassifier.html" in link for link in found)
    assert visitor.complaints == []
