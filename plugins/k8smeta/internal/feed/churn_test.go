// SPDX-License-Identifier: Apache-2.0

//go:build !race

package feed_test

const churned = 1_000_000
