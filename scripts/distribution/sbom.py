"""The software bill of materials: a document of SPDX 2.3, which lists what each artefact contains."""

import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path

from distribution.components import Component
from distribution.release import Release

LICENSE = "Apache-2.0"


def write(release: Release, artefacts: dict[Path, list[Component]], path: Path) -> None:
    """Writes the document of these artefacts, which depends on nothing else than them."""
    components = sorted({component for contents in artefacts.values() for component in contents})
    ids = {component: f"SPDXRef-component-{number}" for number, component in enumerate(components, 1)}
    packages, relationships = [], []
    for number, (file, contents) in enumerate(artefacts.items(), 1):
        identifier = f"SPDXRef-artefact-{number}"
        packages.append(artefact(release, file, identifier))
        relationships.append(relationship("SPDXRef-DOCUMENT", "DESCRIBES", identifier))
        relationships += [relationship(identifier, "CONTAINS", ids[component]) for component in contents]
    packages += [described(component, ids[component]) for component in components]
    digest = hashlib.sha256("".join(checksum(file) for file in artefacts).encode()).hexdigest()
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"tractfs-{release.version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/tractfs-{release.version.replace('~', '-')}-{digest[:32]}",
        "creationInfo": {
            "created": datetime.fromtimestamp(release.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: tractfs-scripts-release"],
        },
        "packages": packages,
        "relationships": relationships,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def artefact(release: Release, file: Path, identifier: str) -> dict:
    return {
        "SPDXID": identifier, "name": "tractfs", "versionInfo": release.version, "packageFileName": file.name,
        "checksums": [{"algorithm": "SHA256", "checksumValue": checksum(file)}],
        "licenseDeclared": LICENSE, **unknown("downloadLocation", "licenseConcluded", "copyrightText"), "filesAnalyzed": False,
    }


def described(component: Component, identifier: str) -> dict:
    return {
        "SPDXID": identifier, "name": component.name, "versionInfo": component.version, "licenseDeclared": component.license,
        **unknown("downloadLocation", "licenseConcluded", "copyrightText"), "filesAnalyzed": False,
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": component.purl},
        ],
    }


def relationship(element: str, kind: str, other: str) -> dict:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": other}


def unknown(*names: str) -> dict:
    return dict.fromkeys(names, "NOASSERTION")


def checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
