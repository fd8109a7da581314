"""Checks that a report's page is well-formed and needs nothing from elsewhere, and prints what it shows as JSON.

report_page.py FILE
"""

import html.parser
import json
import re
import sys
import xml.etree.ElementTree

text = open(sys.argv[1], encoding="utf-8").read()
root = xml.etree.ElementTree.fromstring(text)
elements = list(root.iter())
tags = [element.tag for element in elements]

for element in elements:
    for name, value in element.attrib.items():
        assert name not in ("src", "href", "srcset", "action", "data", "background"), (element.tag, name, value)
        assert not name.startswith("on"), (element.tag, name)
        assert "url(" not in value, (element.tag, name, value)
for tag in ("script", "link", "iframe", "object", "embed", "img", "base", "form", "a", "foreignObject"):
    assert tag not in tags, tag
style = "".join(element.text for element in elements if element.tag == "style")
assert "url(" not in style and "@import" not in style
policy = [element.get("content") for element in elements if element.get("http-equiv") == "Content-Security-Policy"]
assert policy == ["default-src 'none'; style-src 'unsafe-inline'"], policy
numbers = re.findall(r'(?<![\w-])(?:x|y|width|height|x1|x2|y1|y2)="([^"]*)"', text)
assert all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number) for number in numbers), "a coordinate is no number"
controls = [character for character in text if ord(character) < 32 and character != "\n" or character in "\u202e\u2066\x7f"]
assert not controls, controls


class Parser(html.parser.HTMLParser):
    """As a browser sees it: the same elements, in the same order."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    handle_startendtag = handle_starttag


parser = Parser()
parser.feed(text)
assert parser.tags == [tag.lower() for tag in tags], "HTML and XML differ"

body = root.find("body")
assert "<span" not in "".join(body.itertext()), "markup was escaped"
print(
    json.dumps(
        {
            "text": re.sub(r"\s+", " ", " ".join(body.itertext())),
            "names": ["".join(element.itertext()) for element in body.iter("bdi")],
            "headings": ["".join(element.itertext()) for element in elements if element.tag in ("h1", "h2", "h3")],
            "charts": sum(1 for element in body.iter("figure") if element.find("svg") is not None),
            "maps": sum(1 for element in elements if element.get("class") == "map"),
        }
    )
)
