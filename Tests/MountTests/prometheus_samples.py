"""Reads metrics in Prometheus' text format from a file, by Prometheus' own parser, and prints the samples as JSON.

Fails where a metric has no help or type, or where a name or a unit isn't as Prometheus wants them.
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

samples = {}
for family in text_string_to_metric_families(open(sys.argv[1], encoding="utf-8", newline="").read()):
    assert family.documentation, family
    assert family.type in ("counter", "gauge", "summary"), family
    for sample in family.samples:
        assert sample.name.startswith("tractfs_"), sample
        assert family.type != "counter" or sample.name.endswith("_total"), sample
        key = sample.name + json.dumps(sample.labels, sort_keys=True)
        assert key not in samples, key
        samples[key] = sample.value
print(json.dumps(samples))
