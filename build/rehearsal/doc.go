// SPDX-License-Identifier: Apache-2.0

// Package rehearsal has the tests that go the whole way of a release with the
// plugins that are built: packaged in two folders, published to a registry in the
// test, and fetched from there by a client that is not ours. They need dist/, with
// all architectures, and belong to test:release.
package rehearsal
