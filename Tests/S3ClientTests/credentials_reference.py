"""Prints the credentials that botocore, and so the AWS CLI, finds for each profile, for CredentialsAgreementTests.

usage: credentials_reference.py PROFILE...; "-" is no profile
"""

import json
import sys

import botocore.session

for profile in sys.argv[1:]:
    try:
        session = botocore.session.Session(profile=None if profile == "-" else profile)
        credentials = session.get_credentials().get_frozen_credentials()
        client = session.create_client("sts", region_name="us-east-1")
        arn = client.get_caller_identity()["Arn"]
        print(json.dumps({"id": credentials.access_key, "arn": arn, "hasToken": credentials.token is not None}))
    except Exception as error:
        print(json.dumps({"error": type(error).__name__}))
