#!/usr/bin/env python3
"""Uploads all files below a folder to an S3 bucket, many at a time; creates the bucket if it doesn't exist.

Endpoint and credentials come from the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
Keys are the paths below the folder. Objects that exist with the same size are skipped, so an interrupted upload continues
where it stopped.
"""

import argparse
import concurrent.futures
import os
import threading

import boto3
import botocore.config

THREAD_COUNT = 16
local = threading.local()


def client():
    """Returns the client of this thread, since threads must not share sessions."""
    if not hasattr(local, "client"):
        config = botocore.config.Config(
            s3={"addressing_style": "path"},
            retries={"max_attempts": 5},
        )
        local.client = boto3.session.Session().client("s3", config=config)
    return local.client


def files_below(directory):
    """Yields (path, path relative to the directory) of every regular file."""
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            yield path, os.path.relpath(path, directory)


def objects_below(bucket, prefix):
    """Returns {key: object} for all objects below the prefix."""
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {item["Key"]: item for page in pages for item in page.get("Contents", [])}


def put(path, bucket, key):
    if os.path.getsize(path) == 0:
        # No body: after an announced empty one ("Expect"), the gateway never answers the next request on the connection.
        client().put_object(Bucket=bucket, Key=key)
        return
    with open(path, "rb") as body:
        client().put_object(Bucket=bucket, Key=key, Body=body)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("uri", metavar="s3://BUCKET[/PREFIX]", help="a prefix ends in /")
    parser.add_argument("--set-mtimes", action="store_true", help="set the times of the local files to the objects' LastModified")
    arguments = parser.parse_args()
    bucket, _, prefix = arguments.uri.removeprefix("s3://").partition("/")

    if bucket not in {item["Name"] for item in client().list_buckets()["Buckets"]}:
        client().create_bucket(Bucket=bucket)
    files = {prefix + name: path for path, name in files_below(arguments.directory)}
    there = objects_below(bucket, prefix)
    missing = [key for key in files if key not in there or there[key]["Size"] != os.path.getsize(files[key])]
    with concurrent.futures.ThreadPoolExecutor(THREAD_COUNT) as pool:
        for result in [pool.submit(put, files[key], bucket, key) for key in missing]:
            result.result()
    if arguments.set_mtimes:
        for key, item in objects_below(bucket, prefix).items():
            if key in files:
                # Whole seconds: some servers list fractions that are missing in their HEAD and Last-Modified.
                seconds = int(item["LastModified"].timestamp())
                os.utime(files[key], (seconds, seconds))
    print(f"{len(missing)} of {len(files)} files uploaded to s3://{bucket}/{prefix}")


if __name__ == "__main__":
    main()
