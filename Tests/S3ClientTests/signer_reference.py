"""Signs random requests with botocore's own signer and prints them, one JSON object a line, for SignerTests.

usage: signer_reference.py SEED COUNT
"""

import datetime
import json
import random
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode, percent_encode_sequence

ALPHABET = "abcXYZ019-._~/ +%&=?#;:@,!$*'()[]{}<>|\\^`\"\t\n\u00e9\u00fc\u6f22\U0001f9e0"


def text(rng, longest):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, longest)))


def sign(rng):
    seconds = rng.randint(1_000_000_000, 4_000_000_000)
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *args, **kwargs: moment
    host = rng.choice(["bucket.s3.eu-west-1.amazonaws.com", "127.0.0.1:9000", "storage.example.org"])
    key = rng.choice(["", "/", "a/../", "..", "dir//"]) + text(rng, 40)
    query = {name: text(rng, 12) for name in rng.sample(["prefix", "delimiter", "list-type", "start-after", "x"], rng.randint(0, 5))}
    headers = {"Range": f"bytes={rng.randint(0, 9)}-{rng.randint(10, 999)}"} if rng.random() < 0.5 else {}
    if rng.random() < 0.3:
        headers["x-amz-request-payer"] = "requester"
    region = rng.choice(["us-east-1", "eu-west-1", "cn-north-1"])
    token = text(rng, 30) or None if rng.random() < 0.5 else None
    if token:
        token = token.replace("\n", "").replace("\t", "").strip() or "token"
    credentials = Credentials("AKIA" + str(rng.randint(10**9, 10**10)), "secret/" + text(rng, 20), token)
    url = f"https://{host}/{percent_encode(key, safe='/~')}"
    if query:
        url += "?" + percent_encode_sequence(sorted(query.items()))

    # What is asked of the Security Token Service has a body.
    service = rng.choice(["s3", "s3", "sts"])
    method, body = ("POST", text(rng, 30)) if service == "sts" else ("GET", "")
    with_headers = AWSRequest(method=method, url=url, headers=dict(headers), data=body.encode())
    botocore.auth.S3SigV4Auth(credentials, service, region).add_auth(with_headers)
    lifetime = rng.randint(1, 604_800)
    presigned = AWSRequest(method="GET", url=url, headers=dict(headers))
    botocore.auth.S3SigV4QueryAuth(credentials, "s3", region, expires=lifetime).add_auth(presigned)
    return {
        "seconds": seconds, "host": host, "key": key, "query": query, "service": service, "method": method, "body": body, "headers": headers, "region": region,
        "id": credentials.access_key, "secret": credentials.secret_key, "token": token, "lifetime": lifetime,
        "authorization": with_headers.headers["Authorization"],
        "presignature": presigned.url.rsplit("X-Amz-Signature=", 1)[1],
    }


rng = random.Random(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    print(json.dumps(sign(rng)))
