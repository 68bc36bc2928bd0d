CREATE EXTERNAL TABLE history (
  version int,
  as_of string,
  record string,
  account string,
  account_name string,
  unit string,
  region string,
  rule string,
  severity int,
  complete boolean,
  load_balancer string,
  name string,
  scheme string,
  internet_facing boolean,
  owner string,
  security_groups array<string>,
  compliance string,
  status string,
  unresolved boolean,
  causes array<string>,
  exempt boolean,
  exemption_expires string,
  exemption_owner string,
  exemption_ticket string,
  annotation string
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://BUCKET/history/'
