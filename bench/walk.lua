-- For wrk: sends COUNT requests, each with the next token of a file, and prints the duration and the
-- statuses of the answers. It sends exactly COUNT requests, so that the proxy's CPU time can be divided
-- by COUNT.
--
--   wrk ... -s walk.lua URL -- COUNT [FILE FIRST SIZE]
--
-- The tokens are the lines FIRST, FIRST + 1, ... of FILE, counted from 0; line.mjs says what else a line may
-- have. After line SIZE - 1 follows line 0. Without FILE, requests carry no token.

local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } instant; int clock_gettime(int, instant *);")

local CLOCK_MONOTONIC = 1

local count
local requests = {}
local asked = false
local sent, received = 0, 0
local statuses = {}
local start

local function now()
  local instant = ffi.new("instant")
  ffi.C.clock_gettime(CLOCK_MONOTONIC, instant)
  return tonumber(instant.seconds) + tonumber(instant.nanoseconds) / 1e9
end

local function request_with(line)
  if not line then
    return wrk.format("GET", nil, nil)
  end
  local fields = {}
  for field in line:gmatch("[^\t]+") do
    fields[#fields + 1] = field
  end
  if #fields == 1 then
    return wrk.format("GET", nil, { Authorization = "Bearer " .. line })
  end
  local headers = { Authorization = fields[1] .. " " .. fields[2] }
  if fields[3] then
    headers[fields[3]] = fields[4]
  end
  return wrk.format("GET", nil, headers)
end

function init(args)
  count = tonumber(args[1])
  local file, first, size = args[2], tonumber(args[3]), tonumber(args[4])
  if not file then
    requests[1] = request_with(nil)
    return
  end
  local needed = math.min(count, size)
  local number = 0
  for line in io.lines(file) do
    local place = (number - first) % size
    if number < size and place < needed then
      requests[place + 1] = request_with(line)
    end
    number = number + 1
  end
end

function request()
  -- wrk asks for one request before it starts, and does not send it.
  if not asked then
    asked = true
    return requests[1]
  end
  if sent == count then
    return ""
  end
  start = start or now()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function response(status)
  received = received + 1
  statuses[status] = (statuses[status] or 0) + 1
  if received < count then
    return
  end
  local seconds = now() - start
  local counts = {}
  for code, number in pairs(statuses) do
    counts[#counts + 1] = string.format('"%d": %d', code, number)
  end
  print(string.format('{"seconds": %.6f, "statuses": {%s}}', seconds, table.concat(counts, ", ")))
  -- A script has no other way to end wrk before its time is over.
  os.exit(0)
end
