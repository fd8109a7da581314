"""Prints what `aws s3 presign` prints at a given time, for PresignAgreementTests: reads a JSON array of objects with "date" (as
X-Amz-Date has it) and "arguments", and prints a URL a line, or an empty line where the AWS CLI fails.

Signature Version 4 must be asked for in the profile: in some regions the AWS CLI still presigns in version 2.
"""

import contextlib
import datetime
import io
import json
import sys

import awscli.clidriver
import botocore.auth

for call in json.load(sys.stdin):
    moment = datetime.datetime.strptime(call["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *args, **kwargs: moment
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = awscli.clidriver.create_clidriver().main(["s3", "presign"] + call["arguments"])
    print(output.getvalue().strip() if status == 0 else "")
