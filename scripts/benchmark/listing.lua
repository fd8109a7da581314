-- S3's listings (ListObjects and ListObjectsV2) of the buckets, from the arrays of listings.py. The arrays are mapped into
-- memory: starting takes no time with any number of keys, and both workers share them. A page costs two binary searches, one
-- more for each common prefix in it, and one copy for each sequence of objects between these.
local ffi = require("ffi")

ffi.cdef [[
    int open(const char *path, int flags);
    int close(int file);
    long lseek(int file, long offset, int whence);
    void *mmap(void *address, size_t size, int protection, int flags, int file, long offset);
    void *memchr(const void *bytes, int byte, size_t size);
    int memcmp(const void *one, const void *other, size_t size);
]]

local O_RDONLY, SEEK_END, PROT_READ, MAP_SHARED = 0, 2, 1, 1
local MAX_KEYS = 1000

local listing = {}

-- The arrays of each bucket.
local buckets = {}

-- Maps a file; returns its bytes and their number.
local function map(path)
    local file = ffi.C.open(path, O_RDONLY)
    if file < 0 then error("can't open " .. path) end
    local size = tonumber(ffi.C.lseek(file, 0, SEEK_END))
    local address = ffi.C.mmap(nil, size, PROT_READ, MAP_SHARED, file, 0)
    ffi.C.close(file)
    if ffi.cast("intptr_t", address) == -1 then error("can't map " .. path) end
    return ffi.cast("const char *", address), size
end

local function array(path)
    local ends, size = map(path .. ".ends")
    return { bytes = map(path), ends = ffi.cast("const uint32_t *", ends), count = size / 4 - 1 }
end

-- Registers the arrays in `folder` as a bucket: once, when the server starts.
function listing.load(bucket, folder)
    buckets[bucket] = {
        keys = array(folder .. "/keys"), contents = array(folder .. "/contents"), encoded = array(folder .. "/encoded") }
end

-- Returns the items from one index up to another, as one string.
local function items(of, from, upto)
    return ffi.string(of.bytes + of.ends[from], of.ends[upto] - of.ends[from])
end

-- Compares a key with `text`: -1, 0 or 1. With `is_prefix`, returns 0 if the key begins with it.
local function compare(keys, index, text, is_prefix)
    local length = keys.ends[index + 1] - keys.ends[index]
    local order = ffi.C.memcmp(keys.bytes + keys.ends[index], text, math.min(length, #text))
    if order ~= 0 then return order < 0 and -1 or 1 end
    if length < #text then return -1 end
    return (length == #text or is_prefix) and 0 or 1
end

-- Returns the first index in low..<high whose key compares as `order` or more, or `high`.
local function first(keys, low, high, text, is_prefix, order)
    while low < high do
        local middle = math.floor((low + high) / 2)
        if compare(keys, middle, text, is_prefix) < order then low = middle + 1 else high = middle end
    end
    return low
end

-- Returns the first index after `low` whose key doesn't begin with `prefix`, unlike the key at `low`. It is usually near, so
-- the search uses steps that double.
local function behind(keys, low, high, prefix)
    local step = 1
    while low + step < high and compare(keys, low + step, prefix, true) == 0 do
        low, step = low + step, step * 2
    end
    return first(keys, low + 1, math.min(low + step, high), prefix, true, 1)
end

-- Returns the common prefix of a key, if it has one.
local function common_prefix(keys, index, prefix_length, delimiter)
    local key, length = keys.bytes + keys.ends[index], keys.ends[index + 1] - keys.ends[index]
    local found = ffi.cast("const char *", ffi.C.memchr(key + prefix_length, delimiter, length - prefix_length))
    return found ~= nil and ffi.string(key, found - key + 1) or nil
end

local function escaped(text, is_encoded)
    if is_encoded then
        return (text:gsub("[^A-Za-z0-9._~/-]", function(byte)
            return byte == " " and "+" or string.format("%%%02X", byte:byte())
        end))
    end
    return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- Returns the parameters of a listing from the arguments of a request.
local function request(bucket)
    local arguments = ngx.req.get_uri_args()
    local function value(name) return type(arguments[name]) == "string" and arguments[name] or "" end
    local is_second = value("list-type") == "2"
    return {
        bucket = bucket, is_second = is_second, prefix = value("prefix"), delimiter = value("delimiter"),
        token = tonumber(value("continuation-token")), after = value(is_second and "start-after" or "marker"),
        is_encoded = value("encoding-type") == "url", max_keys = math.min(tonumber(value("max-keys")) or MAX_KEYS, MAX_KEYS) }
end

-- Returns the first index to list: the continuation token, which is an index, or the first one after `after`.
local function start(keys, wanted, low, high)
    if wanted.token then return math.max(low, math.min(wanted.token, high)) end
    if wanted.after == "" then return low end
    return first(keys, low, high, wanted.after, false, 1)
end

-- Returns the XML of one page, the number of its items, its last item, and the index of the next page, if there is one.
local function page(arrays, wanted)
    local keys, contents = arrays.keys, wanted.is_encoded and arrays.encoded or arrays.contents
    local low = first(keys, 0, keys.count, wanted.prefix, true, 0)
    local high = first(keys, low, keys.count, wanted.prefix, true, 1)
    local index, count, parts, last = start(keys, wanted, low, high), 0, {}, nil
    if wanted.delimiter == "" then
        local upto = math.min(index + wanted.max_keys, high)
        return { items(contents, index, upto) }, upto - index, upto > index and items(keys, upto - 1, upto), upto < high and upto
    end
    local delimiter = wanted.delimiter:byte()
    local run = index
    while index < high do
        local name = common_prefix(keys, index, #wanted.prefix, delimiter)
        local is_item = not name or wanted.token or name > wanted.after
        if is_item and count == wanted.max_keys then break end
        if name then
            parts[#parts + 1] = items(contents, run, index)
            index = behind(keys, index, high, name)
            run = index
            if is_item then
                parts[#parts + 1] = "<CommonPrefixes><Prefix>" .. escaped(name, wanted.is_encoded) .. "</Prefix></CommonPrefixes>"
            end
        else
            index = index + 1
        end
        if is_item then count, last = count + 1, name or false end
    end
    parts[#parts + 1] = items(contents, run, index)
    if last == false then last = items(keys, index - 1, index) end
    return parts, count, last, index < high and index
end

local function element(name, text) return "<" .. name .. ">" .. text .. "</" .. name .. ">" end

-- Answers a request for a listing of a bucket.
function listing.answer(bucket)
    local arrays = buckets[bucket]
    if not arrays then return listing.refuse(404, "NoSuchBucket") end
    local wanted = request(bucket)
    -- S3 supports longer delimiters; the benchmarks don't use them.
    if #wanted.delimiter > 1 then return listing.refuse(501, "NotImplemented") end
    local parts, count, last, next_index = page(arrays, wanted)
    local function name(text) return escaped(text, wanted.is_encoded) end
    local head = {
        element("Name", bucket), element("Prefix", name(wanted.prefix)), element("MaxKeys", wanted.max_keys),
        element("Delimiter", name(wanted.delimiter)), element("IsTruncated", tostring(next_index and true or false)),
        wanted.is_encoded and element("EncodingType", "url") or "" }
    if wanted.is_second then
        head[#head + 1] = element("KeyCount", count)
        head[#head + 1] = next_index and element("NextContinuationToken", next_index) or ""
    elseif next_index then
        head[#head + 1] = element("NextMarker", name(last))
    end
    ngx.header["Content-Type"] = "application/xml"
    ngx.print('<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
        head, parts, "</ListBucketResult>")
end

-- Answers a request with an S3 error.
function listing.refuse(status, code)
    ngx.status = status
    ngx.header["Content-Type"] = "application/xml"
    ngx.print('<?xml version="1.0" encoding="UTF-8"?>\n', element("Error", element("Code", code) .. element("Message", code)))
end

-- Answers a HEAD of an object without a file, from the list: all objects in buckets of keys only.
function listing.answer_without_file(bucket, key, modified)
    local arrays = buckets[bucket]
    local index = arrays and first(arrays.keys, 0, arrays.keys.count, key, false, 0)
    if not arrays or index == arrays.keys.count or compare(arrays.keys, index, key, false) ~= 0 then
        return listing.refuse(404, "NoSuchKey")
    end
    if ngx.req.get_method() ~= "HEAD" then return listing.refuse(501, "NotImplemented") end
    local etag, size = items(arrays.contents, index, index + 1):match("&quot;(.-)&quot;</ETag><Size>(%d+)<")
    ngx.header["ETag"] = '"' .. etag .. '"'
    ngx.header["Last-Modified"] = ngx.http_time(modified)
    ngx.header["Content-Type"] = "application/octet-stream"
    ngx.header["Content-Length"] = size
    ngx.send_headers()
end

return listing
