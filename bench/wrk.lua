-- What wrk counted, as one line of JSON. With two arguments every request has a path of its own: the first, a number,
-- the second.

local at = 0

function init(args)
  if #args ~= 2 then return end
  request = function()
    at = at + 1
    return wrk.format(nil, args[1] .. at .. args[2])
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%d,"seconds":%.6f,"p50Ms":%.4f,"p99Ms":%.4f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
