"""Prints the requests that botocore sends to directory buckets, for ExpressReferenceTests.

usage: express_reference.py, with one JSON object a line on standard input: region, bucket, fips, dualstack, key, prefix
"""

import json
import sys

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

SESSION = b"""<?xml version="1.0" encoding="UTF-8"?>
<CreateSessionResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Credentials>
<SessionToken>session/token+with==odd</SessionToken><SecretAccessKey>session/secret</SecretAccessKey>
<AccessKeyId>ASIASESSION</AccessKeyId><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>"""


class Body:
    def stream(self, *args, **kwargs):
        yield SESSION


def text(value):
    return value.decode() if isinstance(value, bytes) else value


for line in sys.stdin:
    case = json.loads(line)
    seen = []

    def note(request, **_):
        seen.append({"url": request.url, "headers": {name.lower(): text(value) for name, value in request.headers.items()}})
        if request.url.endswith("?session"):
            return AWSResponse(request.url, 200, {}, Body())
        raise KeyboardInterrupt

    client = boto3.client(
        "s3", region_name=case["region"], aws_access_key_id="AKIAUSER", aws_secret_access_key="user/secret+1",
        aws_session_token="user/token+==",
        config=Config(use_fips_endpoint=case["fips"], use_dualstack_endpoint=case["dualstack"]),
    )
    client.meta.events.register_last("before-send", note)
    bucket = case["bucket"]
    presigned = None
    try:
        client.create_session(Bucket=bucket, SessionMode="ReadOnly")
        for operation, arguments in [
            (client.get_object, {"Key": case["key"], "Range": "bytes=3-9", "IfMatch": '"tag"'}),
            (client.list_objects_v2, {"Prefix": case["prefix"], "Delimiter": "/", "MaxKeys": 1000}),
        ]:
            try:
                operation(Bucket=bucket, **arguments)
            except KeyboardInterrupt:
                pass
        presigned = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": case["key"]}, ExpiresIn=120)
        print(json.dumps({"requests": seen, "presigned": presigned}))
    except Exception as error:
        print(json.dumps({"error": str(error)}))
