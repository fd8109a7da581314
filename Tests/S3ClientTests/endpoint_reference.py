"""Prints where botocore sends requests and what it signs them for, for EndpointReferenceTests.

usage: endpoint_reference.py, with one JSON object a line on standard input: service, region, bucket, fips, dualstack, legacy
"""

import json
import sys

import boto3
from botocore.config import Config

for line in sys.stdin:
    case = json.loads(line)
    seen = {}

    def note(request, **_):
        seen["url"] = request.url.split("?")[0]
        authorization = request.headers["Authorization"]
        seen["authorization"] = authorization.decode() if isinstance(authorization, bytes) else authorization
        raise KeyboardInterrupt

    # Virtual hosts and regional hosts throughout, as tractfs has them.
    client = boto3.client(
        case["service"], region_name=case["region"], aws_access_key_id="id", aws_secret_access_key="secret",
        config=Config(
            use_fips_endpoint=case["fips"], use_dualstack_endpoint=case["dualstack"], signature_version="v4" if case["service"] == "sts" else "s3v4",
            s3={"us_east_1_regional_endpoint": "regional", "addressing_style": "virtual"},
        ),
    )
    client.meta.events.register_last("before-send", note)
    try:
        if case["service"] == "s3":
            client.get_object(Bucket=case["bucket"], Key="k")
        else:
            client.assume_role(RoleArn="arn:aws:iam::123456789012:role/x", RoleSessionName="xx")
    except KeyboardInterrupt:
        scope = seen["authorization"].split("Credential=")[1].split("/")
        print(json.dumps({"url": seen["url"], "region": scope[2], "service": scope[3]}))
    except Exception as error:
        print(json.dumps({"error": str(error)}))
