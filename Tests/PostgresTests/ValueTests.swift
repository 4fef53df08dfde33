// Every type there and back, through a real server.

import Postgres
import TestKit
import Testing

@Suite(.database, .bounded) struct ValueTests {
  /// Sends a value and reads it back as the same type.
  private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Sendable>(
    _ value: Value
  ) async throws -> Value {
    try await withConnection { connection in
      try connection.query("SELECT \(value)")[0].decode(Value.self, at: 0)
    }
  }

  @Test(arguments: [0, 1, -1, Int.max, Int.min]) func `integers return`(_ number: Int) async throws
  {
    #expect(try await roundTrip(number) == number)
    #expect(try await roundTrip(Int64(number)) == Int64(number))
    #expect(
      try await roundTrip(Int32(truncatingIfNeeded: number)) == Int32(truncatingIfNeeded: number))
    #expect(
      try await roundTrip(Int16(truncatingIfNeeded: number)) == Int16(truncatingIfNeeded: number))
  }

  @Test func `other scalars return`() async throws {
    #expect(try await roundTrip(true) == true)
    #expect(try await roundTrip(false) == false)
    #expect(try await roundTrip(1.5e300) == 1.5e300)
    #expect(try await roundTrip(Double.infinity) == .infinity)
    #expect(try await roundTrip(Double.nan).isNaN)
    let uuid = PostgresUUID.random()
    #expect(try await roundTrip(uuid) == uuid)
    let now = PostgresTimestamp.now()
    #expect(try await roundTrip(now) == now)
    #expect(try await roundTrip(PostgresTimestamp.distantFuture) == .distantFuture)
    #expect(try await roundTrip(PostgresTimestamp.distantPast) == .distantPast)
  }

  @Test(arguments: ["", "grok", "naïve — 日本語 🚢", "it's \"quoted\" \\ $1"])
  func `texts return`(_ text: String) async throws {
    #expect(try await roundTrip(text) == text)
  }

  @Test func `a text of ten million bytes returns`() async throws {
    let text = String(repeating: "0123456789", count: 1_000_000)
    #expect(try await roundTrip(text) == text)
  }

  @Test func `bytes return, zeros and emptiness included`() async throws {
    for bytes in [[], [0], [0, 255, 0, 92, 39], (0...255).map { UInt8($0) }] as [[UInt8]] {
      #expect(try await roundTrip(bytes) == bytes)
    }
  }

  @Test func `NULL returns as nil of every type`() async throws {
    #expect(try await roundTrip(Int?.none) == nil)
    #expect(try await roundTrip(String?.none) == nil)
    #expect(try await roundTrip([UInt8]?.none) == nil)
    #expect(try await roundTrip(PostgresUUID?.none) == nil)
    #expect(try await roundTrip([Int]?.none) == nil)
    #expect(try await roundTrip(Int?.some(7)) == 7)
  }

  @Test func `arrays return`() async throws {
    #expect(try await roundTrip([Int]()) == [])
    #expect(try await roundTrip([1, -2, 3]) == [1, -2, 3])
    #expect(try await roundTrip([Int16(1)]) == [1])
    #expect(try await roundTrip([Int32(1)]) == [1])
    #expect(try await roundTrip([true, false]) == [true, false])
    #expect(try await roundTrip([1.5]) == [1.5])
    #expect(try await roundTrip(["", "a,b", "{}", "NULL"]) == ["", "a,b", "{}", "NULL"])
    #expect(try await roundTrip([[UInt8]]()) == [])
    #expect(try await roundTrip([[], [0, 1]] as [[UInt8]]) == [[], [0, 1]])
    let uuids = [PostgresUUID.random(), PostgresUUID.random()]
    #expect(try await roundTrip(uuids) == uuids)
    let times = [PostgresTimestamp.now(), .distantFuture]
    #expect(try await roundTrip(times) == times)
  }

  @Test func `arrays with NULLs return`() async throws {
    #expect(try await roundTrip([1, nil, 3] as [Int?]) == [1, nil, 3])
    #expect(try await roundTrip([nil, "", nil] as [String?]) == [nil, "", nil])
    #expect(try await roundTrip([nil, [], [0]] as [[UInt8]?]) == [nil, [], [0]])
    let uuids = [nil, PostgresUUID.random()]
    #expect(try await roundTrip(uuids) == uuids)
  }

  @Test func `what is sent is what the server understands`() async throws {
    try await withConnection { connection in
      let row = try connection.query(
        """
        SELECT \([1, nil] as [Int?])::text, \(["a\"b"])::text, \(PostgresUUID(high: 1, low: 2))::text,
          (\(PostgresTimestamp(microsecondsSinceUnixEpoch: 0)) AT TIME ZONE 'UTC')::text,
          \(json: "{\"a\":  2e2}")::text, \(Parameter.json(["[1]", "null"]))::text, \([UInt8](0...2))::text
        """)[0]
      #expect(try row.value(0) == "{1,NULL}")
      #expect(try row.value(1) == #"{"a\"b"}"#)
      #expect(try row.value(2) == "00000000-0000-0001-0000-000000000002")
      #expect(try row.value(3) == "1970-01-01 00:00:00")
      #expect(try row.value(4) == #"{"a":  2e2}"#)
      #expect(try row.value(5) == "{[1],\"null\"}")
      #expect(try row.value(6) == "\\x000102")
    }
  }

  @Test func `JSON keeps its exact text, as string and as bytes`() async throws {
    let text = #"{"b": 1.0e2, "b":2 }"#
    try await withConnection { connection in
      let row = try connection.query("SELECT \(json: text), \(json: text)::jsonb")[0]
      #expect(try row.value(0) == text)
      #expect(try row.decode([UInt8].self, at: 0) == Array(text.utf8))
      #expect(try row.value(1) == #"{"b": 2}"#)
    }
  }

  @Test func `columns travel as arrays of JSON, bytes and slices`() async throws {
    let texts = (0..<300).map { #"{"number":\#($0)}"# }
    let slices = texts.map { Array("«\($0)»".utf8)[2..<$0.utf8.count + 2] }
    try await withConnection { connection in
      for parameter in [
        Parameter.json(texts), .jsonBytes(texts.map { Array($0.utf8) }), .jsonBytes(slices),
      ] {
        let rows = try connection.query(
          "SELECT n, j FROM unnest(\(Array(0..<300)), \(parameter)) AS t(n, j) ORDER BY n")
        #expect(try rows.map { try $0.decode(String.self, at: 1) } == texts)
      }
      let rows = try connection.query(
        "SELECT * FROM unnest(\(Parameter.textBytes(slices)), \(Parameter.byteaSlices(slices)))")
      #expect(try rows.map { try $0.decode(String.self, at: 0) } == texts)
      #expect(try rows.map { try $0.decode([UInt8].self, at: 1) } == texts.map { Array($0.utf8) })
    }
  }

  @Test func `an enum of the schema reads as its label`() async throws {
    try await withConnection { connection in
      try connection.script("CREATE TYPE mood AS ENUM ('glad', 'sad')")
      try connection.check("SELECT 'sad'::mood", gives: "sad")
    }
  }

  @Test func `a wrong type is told with column, type and what is there`() async throws {
    let error = try await postgresError {
      _ = try await withConnection { connection in
        try connection.query("SELECT 1::int8 AS amount")[0].decode(Int32.self, at: 0)
      }
    }
    #expect(error.kind == .decoding)
    #expect(
      error.message
        == "column 0 \"amount\" was asked for as Int32 (int2 or int4): it is int8")
    let null = try await postgresError {
      _ = try await withConnection { connection in
        try connection.query("SELECT NULL::text AS name")[0].decode(String.self, at: 0)
      }
    }
    #expect(
      null.message.hasSuffix(
        "\"name\" was asked for as String (text, varchar, name, json, jsonb or an enum): it is NULL"
      ))
  }
}

@Suite struct ValueFormTests {
  @Test func `a UUID reads its own description, in either case`() throws {
    let uuid = PostgresUUID.random()
    #expect(PostgresUUID(uuid.description) == uuid)
    #expect(PostgresUUID(uuid.description.uppercased()) == uuid)
    #expect(PostgresUUID(bytes: uuid.bytes) == uuid)
    #expect(uuid.description.dropFirst(14).first == "4")
  }

  @Test(arguments: [
    "", "0", "00000000000000000000000000000000", "00000000-0000-0000-0000-00000000000g",
    "00000000-0000-0000-0000-0000000000000", "0000000-00000-0000-0000-000000000000",
  ])
  func `what is not a UUID is none`(_ text: String) {
    #expect(PostgresUUID(text) == nil)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
    (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
    (1_746_092_153_000_045, "2025-05-01T09:35:53.000045Z"),
    (Int64.max, "infinity"), (Int64.min, "-infinity"),
  ])
  func `an instant describes itself in UTC`(_ microseconds: Int64, _ text: String) {
    #expect(PostgresTimestamp(microsecondsSinceUnixEpoch: microseconds).description == text)
  }
}
