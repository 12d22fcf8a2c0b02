// SPDX-License-Identifier: Apache-2.0

// Package abi declares the binary interface of Falco's Plugin API 3.12: the
// structures, constants and symbol names that cross between a plugin and the
// framework. It holds no behaviour.
//
// The Go types mirror abi.h, which C code includes. Pointers in them are C
// memory and are typed unsafe.Pointer; function pointers likewise. Layouts
// hold on linux/amd64 and linux/arm64.
package abi

import "unsafe"

// APIMajor, APIMinor and APIPatch are the newest Plugin API version declared here.
const (
	APIMajor = 3
	APIMinor = 12
	APIPatch = 0
)

// RC is the result code of a plugin call.
type RC = int32

// Result codes.
const (
	Success      RC = 0
	Failure      RC = 1
	Timeout      RC = -1
	EOF          RC = 2
	NotSupported RC = 3
)

// Types of an extracted field.
const (
	FieldUint64  uint32 = 8
	FieldString  uint32 = 9
	FieldRelTime uint32 = 20
	FieldAbsTime uint32 = 21
	FieldBool    uint32 = 25
	FieldIPAddr  uint32 = 40
	FieldIPNet   uint32 = 41
)

// Types of a state table's key or field.
const (
	StateInt8   uint32 = 1
	StateInt16  uint32 = 2
	StateInt32  uint32 = 3
	StateInt64  uint32 = 4
	StateUint8  uint32 = 5
	StateUint16 uint32 = 6
	StateUint32 uint32 = 7
	StateUint64 uint32 = 8
	StateString uint32 = 9
	StateTable  uint32 = 10
	StateBool   uint32 = 25
)

// Kinds of an init schema.
const (
	SchemaNone uint32 = 0
	SchemaJSON uint32 = 1
)

// Severities of the framework's log.
const (
	SeverityFatal    uint32 = 1
	SeverityCritical uint32 = 2
	SeverityError    uint32 = 3
	SeverityWarning  uint32 = 4
	SeverityNotice   uint32 = 5
	SeverityInfo     uint32 = 6
	SeverityDebug    uint32 = 7
	SeverityTrace    uint32 = 8
)

// Metric kinds.
const (
	MetricMonotonic    uint32 = 0
	MetricNonMonotonic uint32 = 1
)

// Metric value types.
const (
	MetricU32    uint32 = 0
	MetricS32    uint32 = 1
	MetricU64    uint32 = 2
	MetricS64    uint32 = 3
	MetricDouble uint32 = 4
	MetricFloat  uint32 = 5
	MetricInt    uint32 = 6
)

// Event types that plugins emit themselves.
const (
	TypePluginEvent uint16 = 322
	TypeAsyncEvent  uint16 = 402
)

const (
	// MaxErrLen is the size of the error buffer that an async handler writes to.
	MaxErrLen = 1024
	// HeaderSize is the size of an event header; parameter lengths follow it.
	HeaderSize = 26
	// PayloadOffset is where the payload of a plugin event starts, from the header.
	PayloadOffset = 38
	// NoTimestamp asks the framework to stamp an event when it hands it out.
	NoTimestamp = ^uint64(0)
	// NoThread is the thread ID of an event that no thread caused.
	NoThread = ^uint64(0)
	// NoIndex is the index argument where none was given.
	NoIndex = ^uint64(0)
)

// Event is an event header. It is packed: 26 bytes, alignment 1, so Go cannot
// mirror it as a struct; read members at these offsets.
const (
	EventTS      = 0
	EventTID     = 8
	EventLen     = 16
	EventType    = 20
	EventNParams = 22
)

// EventInput is an event handed to a plugin.
type EventInput struct {
	Evt    unsafe.Pointer
	EvtNum uint64
	EvtSrc unsafe.Pointer
}

// ByteBuffer is a value of type ipaddr or ipnet.
type ByteBuffer struct {
	Len uint32
	Ptr unsafe.Pointer
}

// ValueOffsets tells where extracted values stand in the event.
type ValueOffsets struct {
	Start  unsafe.Pointer
	Length unsafe.Pointer
}

// ExtractField is one field of an extraction request.
type ExtractField struct {
	Res        unsafe.Pointer
	ResLen     uint64
	FieldID    uint32
	Field      unsafe.Pointer
	ArgKey     unsafe.Pointer
	ArgIndex   uint64
	ArgPresent uint32
	FType      uint32
	FList      uint32
}

// Metric is one value of get_metrics.
type Metric struct {
	Name      unsafe.Pointer
	Type      uint32
	Value     uint64
	ValueType uint32
}

// TableInfo names a state table.
type TableInfo struct {
	Name    unsafe.Pointer
	KeyType uint32
}

// TableFieldInfo describes a field of a state table.
type TableFieldInfo struct {
	Name      unsafe.Pointer
	FieldType uint32
	ReadOnly  uint32
}

// FieldsVtable reaches the fields of a state table.
type FieldsVtable struct {
	List, Get, Add unsafe.Pointer
}

// ReaderVtable is the reading half of a state table as of API 3.0.
type ReaderVtable struct {
	GetName, GetSize, GetEntry, ReadEntryField unsafe.Pointer
}

// ReaderVtableExt is the reading half of a state table since API 3.1.
type ReaderVtableExt struct {
	GetName, GetSize, GetEntry, ReadEntryField unsafe.Pointer
	ReleaseEntry, IterateEntries               unsafe.Pointer
}

// WriterVtable is the writing half of a state table.
type WriterVtable struct {
	Clear, EraseEntry, CreateEntry, DestroyEntry, AddEntry, WriteEntryField unsafe.Pointer
}

// TableInput is a state table that a plugin offers.
type TableInput struct {
	Name      unsafe.Pointer
	KeyType   uint32
	Table     unsafe.Pointer
	Reader    ReaderVtable
	Writer    WriterVtable
	Fields    FieldsVtable
	ReaderExt unsafe.Pointer
	WriterExt unsafe.Pointer
	FieldsExt unsafe.Pointer
}

// InitTablesInput reaches the framework's state tables during init.
type InitTablesInput struct {
	ListTables, GetTable, AddTable  unsafe.Pointer
	Fields                          FieldsVtable
	FieldsExt, ReaderExt, WriterExt unsafe.Pointer
}

// InitInput is the argument of init. LogFn exists since API 3.3.
type InitInput struct {
	Config            unsafe.Pointer
	Owner             unsafe.Pointer
	GetOwnerLastError unsafe.Pointer
	Tables            unsafe.Pointer
	LogFn             unsafe.Pointer
}

// SetConfigInput is the argument of set_config.
type SetConfigInput struct {
	Config unsafe.Pointer
}

// FieldExtractInput is the argument of extract_fields. ValueOffsets exists since API 3.11.
type FieldExtractInput struct {
	Owner             unsafe.Pointer
	GetOwnerLastError unsafe.Pointer
	NumFields         uint32
	Fields            unsafe.Pointer
	TableReader       ReaderVtable
	TableReaderExt    unsafe.Pointer
	ValueOffsets      unsafe.Pointer
}

// EventParseInput is the argument of parse_event.
type EventParseInput struct {
	Owner             unsafe.Pointer
	GetOwnerLastError unsafe.Pointer
	TableReader       ReaderVtable
	TableWriter       WriterVtable
	TableReaderExt    unsafe.Pointer
	TableWriterExt    unsafe.Pointer
}

// RoutineVtable reaches the framework's thread pool.
type RoutineVtable struct {
	Subscribe, Unsubscribe unsafe.Pointer
}

// CaptureListenInput is the argument of capture_open and capture_close.
type CaptureListenInput struct {
	Owner             unsafe.Pointer
	Routine           unsafe.Pointer
	TableReaderExt    unsafe.Pointer
	TableWriterExt    unsafe.Pointer
	GetOwnerLastError unsafe.Pointer
}

// Symbols lists the names that a plugin may export, without their "plugin_"
// prefix, in the order of the API's in-process vtable.
var Symbols = [...]string{
	"get_required_api_version", "get_init_schema", "init", "destroy",
	"get_last_error", "get_name", "get_description", "get_contact", "get_version",
	"get_id", "get_event_source", "open", "close", "list_open_params",
	"get_progress", "event_to_string", "next_batch",
	"get_extract_event_types", "get_extract_event_sources", "get_fields", "extract_fields",
	"get_parse_event_types", "get_parse_event_sources", "parse_event",
	"get_async_event_sources", "get_async_events", "set_async_event_handler", "dump_state",
	"set_config", "get_metrics", "capture_open", "capture_close",
	"get_required_event_schema_version",
}
