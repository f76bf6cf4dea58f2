// Package webhook tells an HTTP receiver: one POST with one JSON object for each notification.
//
// The object is Body; docs/webhook.md shows one. Fields are only ever added; what would change the meaning of one raises
// Body.Version. A receiver should take notifications with equal Key as one incident: every agent of a cluster may send its own,
// and a delivery whose answer got lost is sent again.
//
// Any 2xx answer is success. Network errors, timeouts, 408, 429 and 5xx are worth a retry, and a Retry-After is passed on; any
// other answer is not. Redirects are not followed: they would turn the POST into a GET, or carry secrets to another host. The
// environment's proxy variables are honored.
//
// URLs and headers are secrets: no error or String of this package contains more of them than a receiver's name.
package webhook
