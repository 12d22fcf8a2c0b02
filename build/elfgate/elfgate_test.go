// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/toolchain"
)

// noBuildInfo is what is wrong with every file here: a C compiler made it. Nothing else is wrong with the plain one.
const noBuildInfo = "has no readable Go build information"

// compiler returns the C compiler for arch. A machine that lacks it and may not install it skips, except in CI.
func compiler(t *testing.T, arch string) toolchain.Compiler {
	t.Helper()
	c, err := toolchain.Ensure(t.Context(), arch, t.Output())
	if errors.Is(err, toolchain.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	return c
}

// plainFlags make a shared object that keeps every rule as far as C can.
var plainFlags = []string{
	"-shared", "-fPIC", "-O1", "-nostartfiles", "-s", "-Wl,-z,relro", "-Wl,-z,nodelete", "-Wl,-z,noexecstack",
	"-Wl,--push-state,--no-as-needed", "-l:libpthread.so.0", "-Wl,--pop-state",
}

// plugin compiles a C file that defines the symbols of a plugin with these capabilities, followed by more source.
// Flags in less are left out, those in more come last.
func plugin(t *testing.T, arch string, capabilities []Capability, source string, less, more []string) string {
	t.Helper()
	names, err := expected(capabilities)
	require.NoError(t, err)
	var text strings.Builder
	for _, n := range names {
		text.WriteString("void " + n + "(void) {}\n")
	}
	return compile(t, arch, text.String()+source, less, more)
}

func compile(t *testing.T, arch, source string, less, more []string) string {
	t.Helper()
	c := compiler(t, arch)
	out := filepath.Join(t.TempDir(), "libtest.so")
	var args []string
	for _, f := range plainFlags {
		if !slices.Contains(less, f) {
			args = append(args, f)
		}
	}
	args = append(args, "-o", out, "-x", "c", "-", "-x", "none")
	args = append(args, more...)
	cmd := exec.CommandContext(t.Context(), c.Command, args...)
	cmd.Dir = "/" // it stands in debug information; the tests' own folder may be below a home
	cmd.Stdin = strings.NewReader(source)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return out
}

// hidden is a line of C that uses an expression and exports nothing.
func hidden(expression string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, expression)
	return "__attribute__((visibility(\"hidden\"))) const void *use_" + name + " = (const void *)" + expression + ";\n"
}

// violations runs the gate and returns what it found besides the missing build information.
func violations(t *testing.T, file string, rules Rules) []string {
	t.Helper()
	err := Check(file, rules)
	var refused *Refused
	require.ErrorAs(t, err, &refused)
	last := len(refused.Violations) - 1
	require.Contains(t, refused.Violations[last], noBuildInfo)
	return refused.Violations[:last]
}

var host = runtime.GOARCH

func TestAFileThatKeepsTheRulesIsOnlyRefusedForItsBuildInformation(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			file := plugin(t, arch, []Capability{Source, Extract}, "", nil, nil)
			assert.Empty(t, violations(t, file, Rules{Arch: arch, Capabilities: []Capability{Extract, Source}, Builder: []string{filepath.Dir(file)}}))
		})
	}
}

func TestEachRuleRefusesWhatBreaksItAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		name, source string
		less, more   []string
		want         []string // how each violation begins
	}{
		{
			name:   "a function newer than the floor is named with its version",
			source: "#include <sys/random.h>\n" + hidden("getrandom"),
			want:   []string{"needs GLIBC_2.25 of libc.so.6, the floor is GLIBC_2.17: getrandom@GLIBC_2.25"},
		},
		{
			name:   "all functions of a refused version are listed",
			source: "#include <sys/random.h>\n#include <unistd.h>\n" + hidden("getrandom") + hidden("getentropy"),
			want:   []string{"needs GLIBC_2.25 of libc.so.6, the floor is GLIBC_2.17: getentropy@GLIBC_2.25, getrandom@GLIBC_2.25"},
		},
		{
			name: "a version that a linker option asks for is refused without a symbol",
			more: []string{"-Wl,-z,pack-relative-relocs"}, source: "#include <stdlib.h>\n" + hidden("malloc") + hidden("plugin_init"),
			want: []string{"needs GLIBC_ABI_DT_RELR of libc.so.6, not a numbered version: no symbol asks for it, so a linker option does"},
		},
		{
			name: "libpthread has to be named",
			less: []string{"-Wl,--push-state,--no-as-needed", "-l:libpthread.so.0", "-Wl,--pop-state"},
			want: []string{"DT_NEEDED lacks libpthread.so.0"},
		},
		{
			name: "other libraries are refused",
			more: []string{"-Wl,--no-as-needed", "-l:libresolv.so.2"},
			want: []string{"DT_NEEDED names libresolv.so.2, allowed are libc.so.6,"},
		},
		{
			name:   "a symbol that nobody provides is refused",
			source: "void from_nowhere(void);\n" + hidden("from_nowhere"),
			want:   []string{"imports from_nowhere, which no library it names provides"},
		},
		{name: "a SONAME is refused", more: []string{"-Wl,-soname,libtest.so.1"}, want: []string{`has DT_SONAME "libtest.so.1"`}},
		{name: "an RPATH is refused", more: []string{"-Wl,--disable-new-dtags,-rpath,/opt/lib"}, want: []string{`has DT_RPATH "/opt/lib"`}},
		{name: "a RUNPATH is refused", more: []string{"-Wl,--enable-new-dtags,-rpath,/opt/lib"}, want: []string{`has DT_RUNPATH "/opt/lib"`}},
		{
			name:   "relocated code is refused",
			source: "__asm__(\".text\\n.quad plugin_init\\n\");\n", more: []string{"-Wl,-z,notext"},
			want: []string{"has TEXTREL"},
		},
		{name: "an unloadable library is refused", less: []string{"-Wl,-z,nodelete"}, want: []string{"lacks DF_1_NODELETE"}},
		{name: "an executable stack is refused", less: []string{"-Wl,-z,noexecstack"}, more: []string{"-Wl,-z,execstack"}, want: []string{"asks for an executable stack"}},
		{name: "writable relocations are refused", less: []string{"-Wl,-z,relro"}, more: []string{"-Wl,-z,norelro"}, want: []string{"lacks PT_GNU_RELRO"}},
		{
			name:   "much thread-local storage is refused",
			source: "static __thread char big[65]; char *p(void) __attribute__((visibility(\"hidden\"))); char *p(void) { return big; }\n",
			want:   []string{"has 65 bytes of thread-local storage, allowed are 64"},
		},
		{
			name:   "a little thread-local storage is fine",
			source: "static __thread char small[64]; char *p(void) __attribute__((visibility(\"hidden\"))); char *p(void) { return small; }\n",
		},
		{name: "a foreign export is refused", source: "void fatalf(void) {}\n", want: []string{"exports fatalf, which is not part of the plugin API"}},
		{name: "a weak export is one too", source: "__attribute__((weak)) void crosscall2(void) {}\n", want: []string{"exports crosscall2, which"}},
		{name: "a hidden function is not an export", source: "__attribute__((visibility(\"hidden\"))) void crosscall2(void) {}\n"},
		{
			name:   "a capability that is not listed is refused symbol by symbol",
			source: "void plugin_get_fields(void) {}\nvoid plugin_parse_event(void) {}\n",
			want: []string{
				"exports plugin_get_fields (extract), a capability that the registry does not list",
				"exports plugin_parse_event (parse), a capability that the registry does not list",
			},
		},
		{name: "symbols that are not stripped are refused", less: []string{"-s"}, want: []string{"is not stripped: has sections .symtab"}},
		{
			name: "debug information is refused", less: []string{"-s"}, more: []string{"-g"},
			want: []string{"is not stripped: has sections .debug_abbrev, "},
		},
		{
			name:   "a folder of the builder is refused wherever it stands",
			source: hidden("\"x/home/jo/aerie/plugins/json/json.go\""),
			want:   []string{"contains a path of the building machine: /home/jo/aerie/plugins/json/json.go"},
		},
		{
			name:   "a folder right under the root is refused only where a path begins",
			source: hidden("\"/proc/1/root/etc|/root/go/pkg/mod\""),
			want:   []string{"contains a path of the building machine: /root/go/pkg/mod"},
		},
		{
			name:   "an ordinary default below /tmp is fine",
			source: hidden("\"/tmp/falco.sock and /proc/1/root/etc\""),
		},
		{
			name:   "the go command's temporary folder is refused",
			source: hidden("\"/tmp/go-build123/b001/x.c\""),
			want:   []string{"contains a path of the building machine: /tmp/go-build123/b001/x.c"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := plugin(t, host, []Capability{Source}, c.source, c.less, c.more)
			got := violations(t, file, Rules{Arch: host, Capabilities: []Capability{Source}, Builder: []string{"/home/jo/aerie", "/root", "/tmp", "/"}})
			require.Len(t, got, len(c.want), "%q", got)
			for i, want := range c.want {
				assert.True(t, strings.HasPrefix(got[i], want), "violation %d is %q, not %q", i, got[i], want)
			}
		})
	}
}

func TestMissingSymbolsAreNamedWithTheirCapability(t *testing.T) {
	file := plugin(t, host, []Capability{Source}, "", nil, []string{"-Dplugin_init=plugin_close_", "-Dplugin_event_to_string=plugin_close__"})
	got := violations(t, file, Rules{Arch: host, Capabilities: []Capability{Source, Async}})
	assert.Equal(t, []string{
		"does not export plugin_init (base)",
		"does not export plugin_event_to_string (source)",
		"does not export plugin_get_async_event_sources (async)",
		"does not export plugin_get_async_events (async)",
		"does not export plugin_set_async_event_handler (async)",
		"does not export plugin_dump_state (async)",
		"exports plugin_close_, which is not part of the plugin API",
		"exports plugin_close__, which is not part of the plugin API",
	}, got)
}

func TestVersionedSymbolsOfOurOwnAreRefused(t *testing.T) {
	script := filepath.Join(t.TempDir(), "named.map")
	require.NoError(t, os.WriteFile(script, []byte("AERIE_1 { global: plugin_*; local: *; };\n"), 0o644))
	file := plugin(t, host, nil, "", nil, []string{"-Wl,--version-script=" + script})
	got := violations(t, file, Rules{Arch: host})
	// the linker adds the version's name as a symbol
	assert.Equal(t, []string{"has DT_VERDEF: its own symbols carry versions", "exports AERIE_1, which is not part of the plugin API"}, got)
}

func TestAnotherMachinesFileIsRefused(t *testing.T) {
	file := plugin(t, host, nil, "", nil, nil)
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[host]
	got := violations(t, file, Rules{Arch: other})
	require.NotEmpty(t, got)
	assert.Contains(t, got[0], "machine is "+machines[host].String()+", not "+machines[other].String()+" as the folder linux_"+other+" says")
}

func TestArm64SegmentsFitLargePages(t *testing.T) {
	file := plugin(t, "arm64", nil, "", nil, []string{"-Wl,-z,max-page-size=4096"})
	got := violations(t, file, Rules{Arch: "arm64"})
	require.NotEmpty(t, got)
	for _, v := range got {
		assert.Equal(t, "a segment is aligned to 4096 bytes, kernels with large pages need 65536", v)
	}
}

func TestAnExecutableIsNoSharedObject(t *testing.T) {
	file := plugin(t, host, nil, "int main(void) { return 0; }\n", []string{"-shared", "-nostartfiles"}, []string{"-no-pie", "-Wl,--export-dynamic"})
	got := violations(t, file, Rules{Arch: host})
	assert.Equal(t, "type is ET_EXEC, not ET_DYN", got[0])
}

func TestWhatIsNoELFFileCannotBeJudged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "libtest.so")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755))
	err := Check(file, Rules{Arch: host})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "checking "+file+": not an ELF file")
	var refused *Refused
	assert.NotErrorAs(t, err, &refused)
}

func TestTheAPIHas33SymbolsAndEachHasOneOwner(t *testing.T) {
	all, err := expected(Capabilities)
	require.NoError(t, err)
	assert.Len(t, all, 33)
	seen := map[string]bool{}
	for _, s := range all {
		assert.False(t, seen[s], "%s belongs to two capabilities", s)
		seen[s] = true
		assert.NotEmpty(t, owner(s))
	}
	assert.Empty(t, owner("plugin_nonsense"))
	_, err = expected([]Capability{"extraction"})
	assert.EqualError(t, err, `unknown capability "extraction"; known are [source extract parse async capture]`)
}

func TestVersionsAreComparedAsNumbers(t *testing.T) {
	for version, fine := range map[string]bool{
		"GLIBC_2.2.5": true, "GLIBC_2.17": true, "GLIBC_2.3.2": true, "GLIBC_2.9": true, "GLIBC_2.18": false, "GLIBC_2.100": false, "GLIBC_3.0": false,
		"GLIBC_PRIVATE": false, "GLIBC_ABI_DT_RELR": false, "GLIBCXX_3.4": false, "GCC_3.0": false, "GLIBC_2": false,
	} {
		assert.Equal(t, fine, tooNew(version) == "", version)
	}
}

func TestTheGlibcThatAFileNeedsIsTheHighestOfItsSymbols(t *testing.T) {
	const source = `
extern void *memcpy(void *, const void *, unsigned long);
extern int pthread_cond_wait(void *, void *);
__asm__(".symver memcpy,memcpy@GLIBC_2.14");
__asm__(".symver pthread_cond_wait,pthread_cond_wait@GLIBC_2.3.2");
void *both(void *a, void *b, unsigned long n) { pthread_cond_wait(a, b); return memcpy(a, b, n); }
`
	for source, want := range map[string]string{source: "2.14", "int none;": ""} {
		f, err := os.Open(compile(t, "amd64", source, nil, nil))
		require.NoError(t, err)
		defer f.Close()
		got, err := Glibc(f)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := Glibc(strings.NewReader("no ELF"))
	assert.ErrorContains(t, err, "reading the glibc version it needs: ")
}
