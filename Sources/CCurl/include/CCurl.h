#ifndef TRACTFS_CCURL_H
#define TRACTFS_CCURL_H

#include <curl/curl.h>

// Swift can't call variadic functions. These are curl_easy_setopt, curl_multi_setopt and curl_easy_getinfo with the
// one type of value each that curl's manual page of the option names; nothing is decided here.

static inline CURLcode tractfs_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode tractfs_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/// Sets an option whose value is a pointer to data: CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_ERRORBUFFER.
static inline CURLcode tractfs_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

/// Returns the value of an info such as CURLINFO_CONNECT_TIME_T; 0 if unknown.
static inline curl_off_t tractfs_easy_get_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

/// Returns the value of an info such as CURLINFO_HTTP_CONNECTCODE; 0 if unknown.
static inline long tractfs_easy_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

/// Returns the text of an info such as CURLINFO_PRIMARY_IP, which curl owns; null if unknown.
static inline const char *tractfs_easy_get_string(CURL *easy, CURLINFO info) {
    char *value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline CURLcode tractfs_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

/// Sets CURLOPT_WRITEFUNCTION or CURLOPT_HEADERFUNCTION, whose callbacks have the same type.
static inline CURLcode tractfs_easy_set_callback(CURL *easy, CURLoption option, curl_write_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

static inline CURLMcode tractfs_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/// CURLOPT_QUICK_EXIT where this libcurl has it (7.87): a transfer that is removed while its host name is being looked
/// up then doesn't wait for the resolver.
static inline void tractfs_easy_set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
#endif
}

/// Returns the path of the certificates for which this libcurl was built; null if unknown (before 7.70).
static inline const char *tractfs_certificate_path(void) {
#if LIBCURL_VERSION_NUM >= 0x074600
    return curl_version_info(CURLVERSION_NOW)->cainfo;
#else
    return 0;
#endif
}

#endif
