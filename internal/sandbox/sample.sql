-- The sample: tables of an application, a role of its service, and the directory of one tenant.
CREATE TABLE projects (
    id     uuid PRIMARY KEY,
    name   text NOT NULL,
    status text NOT NULL DEFAULT 'green'
);
CREATE TABLE comments (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    text       text NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON projects, comments TO fanfare_dev_app;

INSERT INTO projects (id, name) VALUES ('{project}', 'Apollo');

INSERT INTO fanfare.principals (tenant_id, id, kind, display_name) VALUES
    ('{tenant}', '{ada}', 'user', 'Ada Okafor'),
    ('{tenant}', '{grace}', 'user', 'Grace Lim'),
    ('{tenant}', '{linus}', 'user', 'Linus Berg');

INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type, name) VALUES
    ('{tenant}', '{workspace}', NULL, '{ada}', 'workspace', 'Acme'),
    ('{tenant}', '{project}', '{workspace}', '{ada}', 'project', 'Apollo'),
    ('{tenant}', '{document}', '{project}', '{grace}', 'document', 'Launch plan');

INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES
    ('{tenant}', '{ada}', '{workspace}', 'owner'),
    ('{tenant}', '{grace}', '{project}', 'member'),
    ('{tenant}', '{linus}', '{workspace}', 'member');

INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope) VALUES
    ('{tenant}', '{grace}', '{project}', 'descendants');
