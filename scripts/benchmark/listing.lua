-- S3's listings (ListObjects and ListObjectsV2) of the bucket, made from listing.tsv. Keys are plain ASCII here, so
-- encoding-type=url changes nothing in them.
local listing = {}

local objects = {}

-- Reads the list of objects: once, when the server starts. They stand in it sorted.
function listing.load(path)
    for line in io.lines(path) do
        local key, size, etag = line:match("^(.-)\t(%d+)\t(.+)$")
        objects[#objects + 1] = { key = key, size = size, etag = etag }
    end
end

local function contents(object, modified)
    return table.concat {
        "<Contents><Key>", object.key, "</Key><LastModified>", modified, "</LastModified><ETag>&quot;", object.etag,
        "&quot;</ETag><Size>", object.size, "</Size><StorageClass>STANDARD</StorageClass></Contents>" }
end

-- The common prefix that a key counts as, if any.
local function common_prefix(key, prefix, delimiter)
    if delimiter == "" then return nil end
    local _, last = key:find(delimiter, #prefix + 1, true)
    return last and key:sub(1, last)
end

-- The items behind `after`: XML, and where the next page goes on, if there is one.
local function page(prefix, delimiter, after, max_keys, modified)
    local items, count, last, folder = {}, 0, nil, nil
    for _, object in ipairs(objects) do
        local key = object.key
        if key:sub(1, #prefix) == prefix and key > after then
            local name = common_prefix(key, prefix, delimiter)
            local is_new = not name or (name ~= folder and name > after)
            if is_new and count == max_keys then return items, count, last end
            if is_new then
                items[#items + 1] = name and "<CommonPrefixes><Prefix>" .. name .. "</Prefix></CommonPrefixes>"
                    or contents(object, modified)
                count, last = count + 1, name or key
            end
            folder = name or folder
        end
    end
    return items, count, nil
end

-- Answers a request for a listing of the bucket.
function listing.answer(bucket, modified)
    local query = ngx.req.get_uri_args()
    local function value(name) return type(query[name]) == "string" and query[name] or "" end
    local is_second = value("list-type") == "2"
    local after = value("continuation-token")
    if after == "" then after = value(is_second and "start-after" or "marker") end
    local max_keys = math.min(tonumber(value("max-keys")) or 1000, 1000)
    local items, count, next_after = page(value("prefix"), value("delimiter"), after, max_keys, modified)
    local head = { "<Name>", bucket, "</Name><Prefix>", value("prefix"), "</Prefix><MaxKeys>", max_keys, "</MaxKeys>",
        "<Delimiter>", value("delimiter"), "</Delimiter><IsTruncated>", tostring(next_after ~= nil), "</IsTruncated>" }
    if value("encoding-type") == "url" then head[#head + 1] = "<EncodingType>url</EncodingType>" end
    if is_second then head[#head + 1] = "<KeyCount>" .. count .. "</KeyCount>" end
    if next_after then
        local element = is_second and "NextContinuationToken" or "NextMarker"
        head[#head + 1] = "<" .. element .. ">" .. next_after .. "</" .. element .. ">"
    end
    ngx.header["Content-Type"] = "application/xml"
    ngx.print('<?xml version="1.0" encoding="UTF-8"?>\n',
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">', table.concat(head), table.concat(items), "</ListBucketResult>")
end

return listing
