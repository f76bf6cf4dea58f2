package proxmox

import (
	"strconv"
	"strings"
	"time"
)

// TaskFrom reads a UPID, "UPID:node:pid:pstart:starttime:type:id:user:" with hexadecimal numbers, and tells whether it is one. Load is
// "" for tasks that the network does not notice.
func TaskFrom(upid string) (Task, bool) {
	f := strings.Split(upid, ":")
	if len(f) < 8 || f[0] != "UPID" || f[1] == "" {
		return Task{}, false
	}
	start, err := strconv.ParseUint(f[4], 16, 36)
	if err != nil {
		return Task{}, false
	}
	return Task{UPID: upid, Node: f[1], Kind: f[5], Object: f[6], Load: LoadOf(f[5]), Start: time.Unix(int64(start), 0)}, true
}
