// SPDX-License-Identifier: Apache-2.0

//go:build race

package feed_test

// The race detector makes each of them many times as expensive.
const churned = 100_000
