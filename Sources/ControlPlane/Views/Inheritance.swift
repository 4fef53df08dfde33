// What people decided about the views and no log knows: who may read which of them, who owns them, what new
// tables are to be open to, and remarks. New tables are made under the same names and swapped in, and
// whoever could read the old ones must be able to read the new.
//
// The statements are made by the server from its catalogs, so that no kind of right has to be known here. Row
// policies, triggers and indexes that people add to the tables are not carried over, nor what they build on
// them, such as views of their own: those go with the old tables.

import Postgres

struct Inheritance {
  private let old: String
  private let new: String
  /// The tables are of one form: then a remark that differs is a person's. Otherwise it is the new form's.
  private let isOfOneForm: Bool

  init(from old: String, to new: String, isOfOneForm: Bool) {
    self.old = old
    self.new = new
    self.isOfOneForm = isOfOneForm
  }

  /// Runs in the transaction of the swap, before the schemas change their names. Made anew after each
  /// step: who owns a thing decides what its rights are.
  func carryOver(_ connection: inout Connection) throws {
    for query in [owners, schemaRights, tableRights, columnRights, rightsOfNewTables] {
      try run(query, &connection)
    }
    if isOfOneForm { try run(remarks, &connection) }
  }

  private func run(_ query: Query, _ connection: inout Connection) throws {
    let rows = try connection.query(query)
    for row in rows { try connection.script(try row.decode(String.self, at: 0)) }
  }

  /// The tables of both schemas, by name; none for what the new form does not have.
  private var pairs: String {
    """
    pairs AS (
      SELECT o.oid AS old, n.oid AS new, n.relname AS name, n.relowner AS owner, o.relowner AS heir,
        coalesce(o.relacl, acldefault('r', o.relowner)) AS wanted,
        coalesce(n.relacl, acldefault('r', n.relowner)) AS found
      FROM pg_class o JOIN pg_class n ON n.relname = o.relname
        AND n.relnamespace = to_regnamespace($2) AND n.relkind = 'r'
      WHERE o.relnamespace = to_regnamespace($1) AND o.relkind = 'r'
    )
    """
  }

  /// A right as GRANT writes it; `r` is a row of `aclexplode`.
  private let holder =
    "CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.grantee)) END"
  private let option = "CASE WHEN r.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"

  private func query(_ sql: String) -> Query { Query(sql, [Parameter(old), Parameter(new)]) }

  /// Tables first: whoever gave the schema away may do nothing in it any more.
  private var owners: Query {
    query(
      """
      WITH \(pairs)
      SELECT text FROM (
        SELECT 1, format('ALTER TABLE %I.%I OWNER TO %I', $2, name, pg_get_userbyid(heir))
        FROM pairs WHERE owner <> heir
        UNION ALL
        SELECT 2, format('ALTER SCHEMA %I OWNER TO %I', $2, pg_get_userbyid(o.nspowner))
        FROM pg_namespace o, pg_namespace n
        WHERE o.nspname = $1 AND n.nspname = $2 AND o.nspowner <> n.nspowner
      ) s(step, text) ORDER BY step, text
      """)
  }

  private var schemaRights: Query {
    query(
      """
      WITH schemas AS (
        SELECT nspowner AS owner, nspname AS name,
          coalesce(nspacl, acldefault('n', nspowner)) AS rights FROM pg_namespace
      )
      SELECT text FROM (
        SELECT DISTINCT 1, format('REVOKE ALL ON SCHEMA %I FROM %s', $2, \(holder))
        FROM schemas n, aclexplode(n.rights) r WHERE n.name = $2 AND r.grantee <> n.owner
        UNION ALL
        SELECT 2, format(
          'GRANT %s ON SCHEMA %I TO %s%s', r.privilege_type, $2, \(holder), \(option))
        FROM schemas o, aclexplode(o.rights) r WHERE o.name = $1 AND r.grantee <> o.owner
      ) s(step, text) ORDER BY step, text
      """)
  }

  private var tableRights: Query {
    query(
      """
      WITH \(pairs)
      SELECT text FROM (
        SELECT DISTINCT 1, format('REVOKE ALL ON TABLE %I.%I FROM %s', $2, name, \(holder))
        FROM pairs, aclexplode(found) r WHERE r.grantee <> owner
        UNION ALL
        SELECT 2, format(
          'GRANT %s ON TABLE %I.%I TO %s%s', r.privilege_type, $2, name, \(holder), \(option))
        FROM pairs, aclexplode(wanted) r WHERE r.grantee <> heir
      ) s(step, text) ORDER BY step, text
      """)
  }

  private var columnRights: Query {
    query(
      """
      WITH \(pairs)
      SELECT format(
        'GRANT %s (%I) ON TABLE %I.%I TO %s%s', r.privilege_type, n.attname, $2, name,
        \(holder), \(option))
      FROM pairs
        JOIN pg_attribute o ON o.attrelid = old AND o.attacl IS NOT NULL AND NOT o.attisdropped
        JOIN pg_attribute n ON n.attrelid = new AND n.attname = o.attname AND NOT n.attisdropped,
        aclexplode(o.attacl) r
      WHERE r.grantee <> heir
      """)
  }

  /// What tables that come later are open to, and those that the new form brought.
  private var rightsOfNewTables: Query {
    query(
      """
      WITH \(pairs), defaults AS (
        SELECT d.defaclrole, d.defaclobjtype, r.* FROM pg_default_acl d, aclexplode(d.defaclacl) r
        WHERE d.defaclnamespace = to_regnamespace($1)
      )
      SELECT format(
        'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT %s ON %s TO %s%s',
        pg_get_userbyid(r.defaclrole), $2, r.privilege_type,
        CASE r.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
          WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END, \(holder), \(option))
      FROM defaults r
      UNION ALL
      SELECT format(
        'GRANT %s ON TABLE %I.%I TO %s%s', r.privilege_type, $2, n.relname, \(holder), \(option))
      FROM defaults r JOIN pg_class n ON n.relowner = r.defaclrole
        AND n.relnamespace = to_regnamespace($2) AND n.relkind = 'r'
      WHERE r.defaclobjtype = 'r' AND n.oid NOT IN (SELECT new FROM pairs)
      """)
  }

  private var remarks: Query {
    query(
      """
      WITH \(pairs)
      SELECT format('COMMENT ON SCHEMA %I IS %L', $2, obj_description(o.oid, 'pg_namespace'))
      FROM pg_namespace o WHERE o.nspname = $1
      UNION ALL
      SELECT format(
        'COMMENT ON TABLE %I.%I IS %L', $2, name, obj_description(old, 'pg_class'))
      FROM pairs
      WHERE obj_description(old, 'pg_class') IS DISTINCT FROM obj_description(new, 'pg_class')
      UNION ALL
      SELECT format(
        'COMMENT ON COLUMN %I.%I.%I IS %L', $2, name, n.attname, col_description(old, o.attnum))
      FROM pairs JOIN pg_attribute o ON o.attrelid = old AND o.attnum > 0
        JOIN pg_attribute n ON n.attrelid = new AND n.attname = o.attname AND n.attnum > 0
      WHERE NOT o.attisdropped
        AND col_description(old, o.attnum) IS DISTINCT FROM col_description(new, n.attnum)
      """)
  }
}
