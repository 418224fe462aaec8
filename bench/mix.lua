-- Requests of many kinds in turns: each argument is one, a path and headers in lines; a # in a path is a number that
-- no other request has. At the end, as one line of JSON, how often each status came.

local kinds, at = {}, 0
local threads = {}
local STATUSES = { "s200", "s206", "s304", "s400", "other" }

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  for _, text in ipairs(args) do
    local path, headers = nil, { Host = wrk.headers.Host }
    for line in text:gmatch("[^\n]+") do
      local name, value = line:match("^(%S+): (.*)$")
      if name then headers[name] = value else path = line end
    end
    table.insert(kinds, { path = path, headers = headers })
  end
  for _, name in ipairs(STATUSES) do _G[name] = 0 end
end

function request()
  at = at + 1
  local kind = kinds[at % #kinds + 1]
  return wrk.format("GET", (kind.path:gsub("#", at)), kind.headers)
end

function response(status)
  local name = _G["s" .. status] and "s" .. status or "other"
  _G[name] = _G[name] + 1
end

function done(summary)
  local sums = {}
  for _, name in ipairs(STATUSES) do
    sums[name] = 0
    for _, thread in ipairs(threads) do sums[name] = sums[name] + thread:get(name) end
  end
  local errors = summary.errors
  io.write(string.format(
    '{"200":%d,"206":%d,"304":%d,"400":%d,"other":%d,"broken":%d}\n',
    sums.s200, sums.s206, sums.s304, sums.s400, sums.other,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
