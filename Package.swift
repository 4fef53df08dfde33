// swift-tools-version: 6.2
import PackageDescription

/// Every target is built alike: Swift 6 mode, no warning left standing.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(
  name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let hashTrees = Target.Dependency.product(
  name: "HashTreeCollections", package: "swift-collections")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
  name: "HummingbirdTesting", package: "hummingbird")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(
  name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let unixSignals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "wharf",
  platforms: [.macOS("26.0")],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.20.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    // System shims
    .systemLibrary(
      name: "CLibPQ", path: "Sources/CLibPQ", pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"])]),
    .target(name: "CLinux"),

    // What writes the coders of records, for the module below
    module("Records"),

    // Modules, from the inside out
    .target(
      name: "Hosting", dependencies: [hashTrees], exclude: ["LEASES.md"], swiftSettings: strict),
    module("Time", ["Hosting"]),
    module("Machine", ["CLinux"]),
    module("Program", ["CLinux", "Hosting", argumentParser]),
    module("Postgres", ["CLibPQ", "CLinux", "Machine"]),
    .target(
      name: "Migrations", path: "Migrations", exclude: ["CHAIN.md", "ERASURE.md"],
      resources: [
        .embedInCode("0001_event_log.sql"), .embedInCode("0002_views.sql"),
        .embedInCode("0003_snapshots.sql"), .embedInCode("0004_vault.sql"),
        .embedInCode("0005_views.sql"), .embedInCode("0006_event_indexes.sql"),
      ],
      swiftSettings: strict),
    module("Planner", ["Hosting", hashTrees]),
    module("Wire", ["Hosting", "Machine", "Time", crypto, hashTrees, heap, yams]),
    .target(
      name: "EngineTemplates", path: "Deploy/engines", exclude: ["README.md"],
      resources: ["sim", "vllm", "sglang", "llama-cpp", "llama-cpp-python", "tei"].map {
        .embedInCode("\($0).yaml")
      }, swiftSettings: strict),
    module(
      "HTTPServing",
      [
        httpTypes, hummingbird, hummingbirdCore, logging, nioCore, nioHTTP1, nioHTTPTypes,
        nioHTTPTypesHTTP1,
      ]),
    module(
      "EventLog",
      [
        "Hosting", "Machine", "Migrations", "Postgres", "Time", crypto, deque, heap, logging,
      ]),
    module(
      "ControlPlane",
      [
        "EngineTemplates", "EventLog", "Hosting", "HTTPServing", "Machine", "Migrations",
        "Planner", "Postgres", "Time", "Wire", asyncHTTPClient, deque, hashTrees,
        httpTypes, hummingbird, lifecycle, logging, nioCore, nioHTTP1, unixSignals,
      ]),

    module(
      "Agent",
      [
        "CLinux", "Hosting", "Machine", "Time", "Wire", asyncHTTPClient, crypto, logging, nioCore,
        nioHTTP1,
      ]),
    module(
      "Gateway",
      [
        "Hosting", "HTTPServing", "Machine", "Time", "Wire", asyncHTTPClient, crypto, hashTrees,
        hummingbird, hummingbirdCore,
        httpTypes, lifecycle,
        logging, nioCore, nioHTTP1, nioPosix, unixSignals,
      ]),
    module(
      "EngineSim",
      [
        "HTTPServing", "Hosting", "Program", argumentParser, hummingbird, hummingbirdCore,
        httpTypes, lifecycle, logging, nioCore, unixSignals,
      ]),
    module(
      "Up",
      [
        "CLinux", "Hosting", "Machine", "Time", "Wire", argumentParser, asyncHTTPClient, crypto,
        nioCore,
        nioHTTP1,
      ]),
    module(
      "CLI",
      [
        "CLinux", "Hosting", "Machine", "Program", "Time", "Up", "Wire", argumentParser,
        asyncHTTPClient, nioCore, nioHTTP1, nioPosix, yams,
      ]),
    module(
      "Bench",
      [
        "ControlPlane", "EventLog", "Hosting", "Machine", "Planner", "Postgres", "Wire",
        asyncHTTPClient, hashTrees, lifecycle, logging, nioCore, nioHTTP1,
      ]),
    module("TestTools", ["CLinux", "Hosting", "Time"]),
    module("TestKit", ["CLinux", "Hosting", "Machine", "Postgres", "TestTools", hashTrees]),

    // Programs
    program("wharf-agent", ["Agent", "Hosting", "Program", "Wire", argumentParser, logging]),
    program(
      "wharf-gateway", ["Gateway", "Hosting", "Program", "Wire", argumentParser, logging, nioCore]),
    program("wharf-engine-sim", ["EngineSim"]),
    .executableTarget(
      name: "wharf-holder",
      cSettings: [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]),
    program("wharf", ["CLI"]),
    program(
      "wharfd",
      [
        "ControlPlane", "EventLog", "Hosting", "Machine", "Migrations", "Program", "Time", "Wire",
        argumentParser, logging,
      ]),
    program("wharf-records", ["Records"]),
    program("wharf-bench", ["Bench", "Hosting", "Machine", "Program", argumentParser]),

    // Tests
    .testTarget(
      name: "HostingTests", dependencies: ["Hosting", "Planner", "TestKit", hashTrees],
      exclude: ["Golden"], swiftSettings: strict),
    tests("PlannerTests", ["Hosting", "Planner", "TestKit", hashTrees]),
    tests(
      "HTTPServingTests",
      [
        "HTTPServing", "TestTools", httpTypes, hummingbird, hummingbirdCore, lifecycle, logging,
        nioCore, nioHTTP1, nioPosix,
      ]),
    tests("PostgresTests", ["Postgres", "TestKit"]),
    tests("HolderTests", ["TestKit", "wharf-holder"]),
    tests(
      "EngineSimTests",
      ["EngineSim", "TestKit", "wharf-engine-sim", asyncHTTPClient, nioCore, nioHTTP1]),
    .testTarget(
      name: "AgentTests",
      dependencies: [
        "Agent", "CLinux", "EngineTemplates", "HTTPServing", "Hosting", "Machine", "TestTools",
        "Time", "Wire", "wharf-agent", "wharf-engine-sim", "wharf-holder",
        asyncHTTPClient, httpTypes, hummingbird, logging, nioCore, nioHTTP1,
      ], exclude: ["Golden"], swiftSettings: strict),
    tests(
      "GatewayTests",
      [
        "CLinux", "Gateway", "HTTPServing", "Hosting", "TestTools", "Time", "Wire",
        "wharf-engine-sim",
        "wharf-gateway", asyncHTTPClient, crypto, httpTypes, hummingbird, hummingbirdTesting,
        lifecycle, logging, nioCore, nioHTTP1,
      ]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Hosting", "Postgres", "TestKit", "Wire", "wharf", "wharf-agent", "wharf-engine-sim",
        "wharf-gateway", "wharf-holder", "wharfd", asyncHTTPClient, nioCore, nioHTTP1,
      ], exclude: ["openai_client.py"], swiftSettings: strict),
    tests(
      "CLITests",
      [
        "CLI", "EngineTemplates", "Hosting", "Postgres", "Program", "TestKit", "Wire", "wharf",
        "wharf-agent",
        "wharf-bench", "wharf-engine-sim", "wharf-gateway", "wharf-holder", "wharfd",
        argumentParser,
      ]),
    tests(
      "UpTests",
      [
        "CLinux", "Hosting", "Machine", "TestKit", "Up", "Wire", "wharf", "wharf-agent",
        "wharf-engine-sim",
        "wharf-gateway", "wharf-holder", "wharfd", asyncHTTPClient, nioCore, nioHTTP1,
      ]),
    tests("BenchTests", ["Bench", "Hosting", "Postgres", "TestKit", "TestTools", "wharfd"]),
    tests("TidyTests", ["Records"]),
    tests("TestToolsTests", ["TestTools", "Time"]),
    tests(
      "EventLogTests",
      [
        "EventLog", "Hosting", "Migrations", "Postgres", "TestKit", "Time", logging,
      ]),
    tests("MachineTests", ["Machine", "TestTools"]),
    tests(
      "ControlPlaneTests",
      [
        "ControlPlane", "EventLog", "Gateway", "HTTPServing", "Hosting", "Migrations", "Postgres",
        "TestKit", "TestTools", "Time", "Wire", hashTrees, httpTypes, hummingbird,
        hummingbirdTesting, logging, nioCore,
      ]),
  ]
)
