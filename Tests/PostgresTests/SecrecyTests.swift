// A password, once given, comes out nowhere.

import Postgres
import TestKit
import Testing

@Suite struct SecrecyTests {
  @Test(arguments: [
    "postgres://someone:hunter2@example.org:5433/wharf?host=/run/socket",
    "host=example.org user=someone password=hunter2 dbname=wharf",
    "postgres:///wharf?password=hunter2&sslpassword=hunter2",
  ])
  func `a configuration never shows its password`(_ text: String) throws {
    let configuration = try PostgresConfiguration(text)
    var dumped = ""
    dump(configuration, to: &dumped)
    for shown in ["\(configuration)", String(reflecting: configuration), dumped] {
      #expect(!shown.contains("hunter2"))
      #expect(shown.contains("database wharf"))
    }
  }

  @Test(arguments: [
    "postgres://someone:hunter2%zz@example.org/wharf", "password=hunter2 hunter2",
    "postgres://someone@example.org/wharf?hunter2=1", "hunter2",
  ])
  func `what cannot be read as a configuration is not repeated`(_ text: String) throws {
    let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(text) }
    #expect(error?.kind == .invalidConfiguration)
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test(.database) func `a refused password is not repeated`() async throws {
    try await withConnection { connection in
      try connection.script(
        """
        DO $$ BEGIN CREATE ROLE password_only LOGIN PASSWORD 'right';
        EXCEPTION WHEN duplicate_object THEN NULL; END $$
        """)
    }
    let error = try await postgresError {
      try await blocking {
        _ = try Connection(
          PostgresConfiguration(
            TestDatabase.current.url.replacing("user=postgres", with: "user=password_only")
              + "&password=hunter2"))
      }
    }
    #expect(error.kind == .connectionFailed)
    #expect(error.message.contains("password authentication failed"))
    #expect(!String(reflecting: error).contains("hunter2"))
    var dumped = ""
    dump(error, to: &dumped)
    #expect(!dumped.contains("hunter2"))
  }

  @Test func `a parameter shows its type and size only`() {
    let parameter = Parameter("hunter2")
    var dumped = ""
    dump(parameter, to: &dumped)
    #expect("\(parameter)" == "text (7 bytes)")
    #expect(!dumped.contains("104"))
  }

  @Test func `the connect timeout of a URL is taken over, and never means for ever`() throws {
    #expect(try PostgresConfiguration("connect_timeout=3").connectTimeoutSeconds == 3)
    #expect(
      try PostgresConfiguration("connect_timeout=0").connectTimeoutSeconds
        == PostgresConfiguration.defaultConnectTimeoutSeconds)
  }
}
