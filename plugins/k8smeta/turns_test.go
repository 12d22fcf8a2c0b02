// SPDX-License-Identifier: Apache-2.0

//go:build !race

package k8smeta

// manyPods is how many pods come and go in tests of memory.
const manyPods = 1_000_000
