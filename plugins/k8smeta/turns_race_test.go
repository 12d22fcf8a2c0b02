// SPDX-License-Identifier: Apache-2.0

//go:build race

package k8smeta

// manyPods is less where the race detector makes each of them cost ten times as much.
const manyPods = 100_000
