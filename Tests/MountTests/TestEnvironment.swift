import TestSupport

/// The keys of tests, which must not appear in any output.
enum TestKeys {
    static let accessKeyID = "AKIATRACTTEST0000001"
    static let secretAccessKey = "tractTestSecret/abcdefghijklmnopqrstuvwx"
    static let sessionToken = "tractTestToken//ZZZZZZZZZZZZZZZZZZZZZZZZ"
}

/// An environment without an endpoint, keys or options, whatever the environment of the tests has. An empty variable
/// counts as none.
let environmentWithoutKeys = [
    "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
    "AWS_DEFAULT_PROFILE": "", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null",
    "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "", "AWS_CA_BUNDLE": "",
    "AWS_ENDPOINT_URL_STS": "", "AWS_ROLE_ARN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "",
    "AWS_EC2_METADATA_DISABLED": "true",
    "TRACTFS_CONFIG": "/dev/null",
    "http_proxy": "", "https_proxy": "", "HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": "",
    "no_proxy": "", "NO_PROXY": "",
]

/// The same with keys.
let environmentWithKeys = environmentWithoutKeys.merging([
    "AWS_ACCESS_KEY_ID": TestKeys.accessKeyID, "AWS_SECRET_ACCESS_KEY": TestKeys.secretAccessKey,
    "AWS_SESSION_TOKEN": TestKeys.sessionToken,
]) { $1 }
