// The object identifiers of the built-in types that we send and read; fixed by PostgreSQL for ever.

package enum PostgresType {
  package static let bool: UInt32 = 16
  package static let bytea: UInt32 = 17
  package static let int8: UInt32 = 20
  package static let int2: UInt32 = 21
  package static let int4: UInt32 = 23
  package static let text: UInt32 = 25
  package static let json: UInt32 = 114
  package static let jsonb: UInt32 = 3802
  package static let float4: UInt32 = 700
  package static let float8: UInt32 = 701
  package static let name: UInt32 = 19
  package static let unknown: UInt32 = 705
  package static let bpchar: UInt32 = 1042
  package static let varchar: UInt32 = 1043
  package static let timestamptz: UInt32 = 1184
  package static let uuid: UInt32 = 2950

  package static let jsonArray: UInt32 = 199
  package static let boolArray: UInt32 = 1000
  package static let byteaArray: UInt32 = 1001
  package static let int2Array: UInt32 = 1005
  package static let int4Array: UInt32 = 1007
  package static let textArray: UInt32 = 1009
  package static let int8Array: UInt32 = 1016
  package static let float8Array: UInt32 = 1022
  package static let timestamptzArray: UInt32 = 1185
  package static let uuidArray: UInt32 = 2951

  /// Types made by users start here; those that reach us are enums, which travel as text.
  static let firstUserDefined: UInt32 = 16384

  /// A name for messages.
  static func describe(_ oid: UInt32) -> String {
    names[oid] ?? "type \(oid)"
  }

  private static let names: [UInt32: String] = [
    bool: "bool", bytea: "bytea", int8: "int8", int2: "int2", int4: "int4", text: "text",
    json: "json", jsonb: "jsonb", float4: "float4", float8: "float8", name: "name",
    unknown: "unknown", bpchar: "bpchar", varchar: "varchar", timestamptz: "timestamptz",
    uuid: "uuid", jsonArray: "json[]", boolArray: "bool[]", byteaArray: "bytea[]",
    int2Array: "int2[]", int4Array: "int4[]", textArray: "text[]", int8Array: "int8[]",
    float8Array: "float8[]", timestamptzArray: "timestamptz[]", uuidArray: "uuid[]",
    1114: "timestamp without time zone", 1082: "date", 1700: "numeric",
    2278: "void", 1015: "varchar[]", 2249: "record",
  ]
}
