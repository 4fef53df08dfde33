// Files that are replaced whole: what a reader meets, whose they are, and what is left when it fails.

import Foundation
import Glibc
import TestTools
import Testing

@testable import Machine

@Suite struct FilesTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func mode(_ path: String) -> mode_t {
    var facts = stat()
    return stat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
  }

  @Test
  func `a file is its owner's only, and replaced by another, so that who reads has the old one`()
    throws
  {
    let path = folder.path("state")
    try Files.write(Array("old".utf8), to: path)
    #expect(mode(path) == 0o600)
    let reader = try #require(FileHandle(forReadingAtPath: path))
    try Files.write(Array("new".utf8), to: path)
    #expect(try reader.readToEnd() == Data("old".utf8))
    #expect(Files.text(path) == "new")
    #expect(Files.names(in: folder.root) == ["state"])
  }

  @Test func `what cannot be replaced stays, and nothing is left beside it`() throws {
    let path = folder.path("state")
    try Files.makeFolder(path + "/inner")
    let problem = #expect(throws: FileProblem.self) { try Files.write([1], to: path) }
    #expect(problem?.code == EISDIR)
    #expect(problem?.description == "cannot write \(path): Is a directory")
    #expect(Files.names(in: folder.root) == ["state"])
  }

  @Test func `what a process of the same number left makes way`() throws {
    let path = folder.path("state")
    try Data("half".utf8).write(to: URL(filePath: "\(path).\(getpid()).new"))
    try Files.write(Array("whole".utf8), to: path)
    #expect(Files.text(path) == "whole")
    #expect(Files.names(in: folder.root) == ["state"])
  }

  @Test func `a new file takes no name that something has`() throws {
    let path = folder.path("key")
    func create(_ text: String) throws {
      let file = try NewFile(path)
      try file.write(Array(text.utf8))
      try file.create()
    }
    try create("first")
    let problem = #expect(throws: FileProblem.self) { try create("second") }
    #expect(problem?.code == EEXIST)
    #expect(Files.text(path) == "first")
    #expect(Files.names(in: folder.root) == ["key"])
  }

  @Test func `a file that is let go of before it is whole was never there`() throws {
    func begin() throws {
      let file = try NewFile(folder.path("export"))
      try file.write([1, 2, 3])
      #expect(Files.names(in: folder.root).count == 1)
    }
    try begin()
    #expect(Files.names(in: folder.root) == [])
  }

  @Test func `a file that is written in place stays the same file`() throws {
    let path = folder.path("pg_hba.conf")
    #expect(throws: FileProblem.self) { try Files.overwrite(path, with: [1]) }
    try Data("something long".utf8).write(to: URL(filePath: path))
    chmod(path, 0o640)
    try Files.overwrite(path, with: Array("short".utf8))
    #expect(Files.text(path) == "short")
    #expect(mode(path) == 0o640)
  }

  @Test func `one that is too long is not read in part, and one that is not there is none`() throws
  {
    let path = folder.path("state")
    #expect(try Files.read(path) == nil)
    try Files.write([1, 2, 3], to: path)
    #expect(try Files.read(path, longest: 3) == [1, 2, 3])
    #expect(throws: FileProblem(attempted: "read", path: path, code: EFBIG)) {
      try Files.read(path, longest: 2)
    }
    #expect(Files.tail(path, bytes: 2) == [2, 3])
  }

  @Test
  func `folders have the modes they were asked for, whatever the umask; known ones keep theirs`()
    throws
  {
    let before = umask(0o077)
    defer { umask(before) }
    let known = folder.path("known")
    try Files.makeFolder(known, mode: 0o755)
    try Files.makeFolder(known + "/above/inner", mode: 0o711, above: 0o755)
    #expect(mode(known) == 0o755)
    #expect(mode(known + "/above") == 0o755)
    #expect(mode(known + "/above/inner") == 0o711)
    try Files.makeFolder(known)
    #expect(mode(known) == 0o755)
    let file = folder.path("file")
    try Files.write([], to: file)
    let problem = #expect(throws: FileProblem.self) { try Files.makeFolder(file) }
    #expect(problem?.code == EEXIST)
  }

  @Test func `what is removed takes nothing with it that a link leads to`() throws {
    try Files.makeFolder(folder.path("other"))
    try Files.write([1], to: folder.path("other/letter"))
    try Files.makeFolder(folder.path("own/inner"))
    symlink(folder.path("other"), folder.path("own/inner/link"))
    try Files.remove(folder.path("own"))
    #expect(Files.names(in: folder.root) == ["other"])
    #expect(Files.names(in: folder.path("other")) == ["letter"])
    try Files.remove(folder.path("own"))
  }

  @Test(arguments: [("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/c", "a/b")])
  func `where a file lies`(path: String, expected: String) {
    #expect(Files.folder(of: path) == expected)
  }
}

@Suite struct LockFileTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func `one holds it at a time, and says who; let go of, it is another's`() throws {
    let path = folder.path("lock")
    let first = try LockFile(path)
    #expect(first.take())
    try first.write("a long word about the first")
    let second = try LockFile(path)
    #expect(!second.take())
    #expect(second.text == "a long word about the first")
    first.release()
    #expect(second.text == "")
    #expect(second.take())
    try second.write("second")
    #expect(second.text == "second")
  }

  @Test func `it is let go of with the last who has it open`() throws {
    let path = folder.path("lock")
    func hold() throws { #expect(try LockFile(path).take()) }
    try hold()
    #expect(try LockFile(path).take())
  }
}
