package pglog

// ByID returns a LATERAL subquery "a" for the activity of a tenant that has an id. Both are SQL
// expressions, as a rule columns of a row to its left.
//
// The order, which an equality would make redundant, is that of the primary key, so that every plan
// uses it. By the costs alone, the planner may choose an index by which it reads the whole tenant:
// all indexes cost the same where a partition is empty, as in a new month, and a session keeps the
// plan when the partition has grown. The LIMIT rules out plans that scan a partition.
func ByID(id, tenant string) string {
	return `LATERAL (
    SELECT * FROM fanfare.activities AS a
    WHERE a.tenant_id = ` + tenant + ` AND a.id BETWEEN ` + id + ` AND ` + id + `
    ORDER BY a.id LIMIT 1
) AS a`
}
